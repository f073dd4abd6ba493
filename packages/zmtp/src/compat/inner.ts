import type { Message, Request, Transport } from "@msg-ts/core";
import { multipart, RepSocket, ReqSocket } from "@msg-ts/core";
import { Deque, listenToAbort, unlistenToAbort } from "@msg-ts/core/building";
import type { DealerSocket } from "../sockets/dealer.ts";
import type { PartsOptions } from "../sockets/parts-options.ts";
import { PartsSocket } from "../sockets/parts-socket.ts";
import { SharingSocket } from "../sockets/sharing-socket.ts";
import { zmtp } from "../zmtp.ts";
import { CompatError } from "./compat-error.ts";
import { socketOptionsOf, zmtpOptionsOf } from "./inner-options.ts";
import type { Values } from "./options.ts";

/** What this layer needs of any socket of ours. */
export type OurSocket = Pick<
  DealerSocket,
  "addresses" | "bind" | "close" | "connect" | "disconnect" | "isClosed" | "on" | "unbind"
>;

/** A socket of ours, and how zeromq.js sends and receives by it. */
export interface Inner {
  readonly socket: OurSocket;
  send(parts: readonly Uint8Array[], waiting: Waiting): undefined | Promise<void>;
  receive(waiting: Waiting): Promise<readonly Uint8Array[]>;
}

/** How long a call may wait; the signal aborts when the socket is closed. */
export interface Waiting {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A socket whose messages are arrays of parts both ways. */
interface PartsEnd extends OurSocket {
  send(
    parts: readonly Uint8Array[],
    waiting?: Waiting & { readonly copy?: boolean },
  ): undefined | Promise<void>;
  receive(waiting: Waiting): Promise<{ readonly parts: readonly Uint8Array[] }>;
}

/** Of a socket of messages of parts. */
export function partsInner(socket: PartsEnd): Inner {
  return {
    socket,
    send: (parts, waiting) => socket.send(parts, waiting),
    receive: async (waiting) => (await socket.receive(waiting)).parts,
  };
}

/** PUSH, whose messages are arrays of parts. */
export class PushParts extends SharingSocket {
  constructor(transport: Transport, options: PartsOptions) {
    super("PUSH", transport, options);
  }
}

/** PULL, whose messages are arrays of parts. */
export class PullParts extends PartsSocket {
  constructor(transport: Transport, options: PartsOptions) {
    super("PULL", transport, options);
  }

  protected override get unsent(): number {
    return 0;
  }
}

/** Of a PULL. */
export function pullInner(socket: PullParts): Inner {
  return {
    socket,
    send: () => {
      throw new CompatError("EINVAL", "a Pull cannot send");
    },
    receive: async (waiting) => (await socket.receive(waiting)).parts,
  };
}

/** A request, and what came of it. */
interface Asked {
  answer?: Message;
  error?: unknown;
}

/** Request: each `receive` waits for the answer to the oldest `send` that has none yet. */
export class RequestInner implements Inner {
  readonly socket: ReqSocket;
  readonly #asked: Deque<Asked> = new Deque();
  /** Receivers wait one behind the other: answers come in the order of the requests. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Set while the first of them waits. */
  #wake: () => void = () => {};

  constructor(transport: Transport, values: Values) {
    const { correlate } = values;
    this.socket = new ReqSocket(transport, {
      ...socketOptionsOf(values),
      protocol: zmtp({ ...zmtpOptionsOf(values), correlate }),
      timeoutMs: Infinity,
    });
  }

  send(parts: readonly Uint8Array[]): undefined {
    const answer = this.socket.request(multipart(parts));
    const asked: Asked = {};
    this.#asked.push(asked);
    void answer.then(
      (message) => this.#onAnswer(asked, { answer: message }),
      (error: unknown) => this.#onAnswer(asked, { error }),
    );
    this.#wake();
  }

  receive(options: Waiting): Promise<readonly Uint8Array[]> {
    const deadline = performance.now() + options.timeoutMs;
    const received = this.#turn.then(() => this.#next(deadline, options));
    this.#turn = received.catch(() => {});
    return received;
  }

  #onAnswer(asked: Asked, outcome: Asked): void {
    Object.assign(asked, outcome);
    this.#wake();
  }

  /** An answer that does not come in time is left for the next call. */
  async #next(deadline: number, { signal, timeoutMs }: Waiting): Promise<readonly Uint8Array[]> {
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const first = this.#asked.peek();
      if (first?.answer !== undefined || first?.error !== undefined) {
        this.#asked.shift();
        if (first.answer === undefined) throw first.error;
        return first.answer.parts;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new CompatError("EAGAIN", `no answer came within ${timeoutMs} ms`);
      await this.#sleep(leftMs, signal);
    }
  }

  /** Until something happens, or the time is over. */
  async #sleep(leftMs: number, signal: AbortSignal): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => this.#wake();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (leftMs !== Infinity) timer = setTimeout(resolve, leftMs);
      listenToAbort(signal, onAbort);
    });
    this.#wake = () => {};
    clearTimeout(timer);
    unlistenToAbort(signal, onAbort);
  }
}

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
