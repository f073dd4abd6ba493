import type { Request, Transport } from "@msg-ts/core";
import { multipart, RepSocket } from "@msg-ts/core";
import { Deque } from "@msg-ts/core/building";
import { zmtp } from "../zmtp.ts";
import { CompatError } from "./compat-error.ts";
import type { Inner, Waiting } from "./inner.ts";
import { socketOptionsOf, zmtpOptionsOf } from "./inner-options.ts";
import type { Values } from "./options.ts";

/** Reply: each `send` answers the oldest request received that has no answer yet. */
export class ReplyInner implements Inner {
  readonly socket: RepSocket;
  readonly #owed: Deque<Request> = new Deque();

  constructor(transport: Transport, values: Values) {
    this.socket = new RepSocket(transport, {
      ...socketOptionsOf(values),
      protocol: zmtp(zmtpOptionsOf(values)),
      answerTimeoutMs: Infinity,
    });
  }

  get isReadable(): boolean {
    return this.socket.stats().queued > 0;
  }

  get isWritable(): boolean {
    return this.#owed.size > 0;
  }

  send(parts: readonly Uint8Array[]): undefined {
    if (this.socket.isClosed) throw new CompatError("EBADF", "this Reply is closed");
    const request = this.#owed.shift();
    if (request === undefined) {
      throw new CompatError("EFSM", "a Reply answers what it received: receive first");
    }
    request.respond(multipart(parts));
  }

  async receive(waiting: Waiting): Promise<readonly Uint8Array[]> {
    const request = await this.socket.receive(waiting);
    this.#owed.push(request);
    return request.parts;
  }
}
