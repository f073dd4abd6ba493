import type { Payload } from "../../bytes.ts";
import { MsgError } from "../../errors.ts";
import type { Linked } from "../linked-queue.ts";
import { Message } from "../message.ts";
import type { RepPeer } from "./rep-peer.ts";

/**
 * An error for the peer that asked: thrown by a handler of `rep.serve`, it becomes the error reply.
 * What any other error says stays here; the peer sees the code `INTERNAL` only.
 *
 * @example
 * ```ts
 * throw new ReplyError("NOT_FOUND", `no user ${id}`);
 * ```
 */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  /** What the peer sees as `remoteCode`: `[A-Z][A-Z0-9_]{0,63}`. */
  readonly remoteCode: string;

  /** @throws MsgError `MSG_INVALID_ARGUMENT` when the code is malformed. */
  constructor(remoteCode: string, message: string, options?: ErrorOptions) {
    super(message, options);
    checkRemoteCode(remoteCode);
    this.remoteCode = remoteCode;
  }
}

/** @throws MsgError `MSG_INVALID_ARGUMENT` */
function checkRemoteCode(code: string): void {
  const isCode = typeof code === "string" && /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
  if (isCode && !code.startsWith("MSG_")) return;
  const form = "must match [A-Z][A-Z0-9_]{0,63} and not begin with MSG_, which is this library's";
  const text = `code is ${JSON.stringify(code)}, ${form}`;
  throw new MsgError("MSG_INVALID_ARGUMENT", text);
}

/** How a reply is given. */
export interface RespondOptions {
  /**
   * Copies the payload, so that the caller may change it after the call.
   *
   * @defaultValue false
   */
  readonly copy?: boolean | undefined;
}

/** Who carries an answer to its peer. */
export interface Responder<Asked, Answered> {
  respond(request: Request<Asked, Answered>, value: Answered, copy: boolean): void;
  fail(request: Request<Asked, Answered>, code: string, message: string): void;
}

/** A request that came in. Answered once; by whom, and when, is the application's choice. */
export class Request<Asked = Uint8Array, Answered = Payload>
  extends Message<Asked>
  implements Linked<Request<Asked, Answered>>
{
  /** @internal */
  readonly id: number;
  /** @internal */
  readonly from: RepPeer<Asked, Answered>;
  /** @internal When it gets `MSG_NO_ANSWER`; absent while its handler may still answer at once. */
  deadlineMs: number | undefined;
  /** @internal */
  state: "pending" | "answered" | "expired" = "pending";
  /** @internal */
  previousInQueue: Request<Asked, Answered> | undefined;
  /** @internal */
  nextInQueue: Request<Asked, Answered> | undefined;
  /** @internal */
  inQueue: object | undefined;
  /** @internal */
  olderOfPeer: Request<Asked, Answered> | undefined;
  /** @internal */
  youngerOfPeer: Request<Asked, Answered> | undefined;
  readonly #responder: Responder<Asked, Answered>;
  #abort: AbortController | undefined;

  /** @internal */
  constructor(
    id: number,
    payload: Uint8Array,
    from: RepPeer<Asked, Answered>,
    responder: Responder<Asked, Answered>,
  ) {
    super(payload, from.info);
    this.id = id;
    this.from = from;
    this.#responder = responder;
  }

  /** True until it is answered, its peer is gone, or its time has passed. */
  get isPending(): boolean {
    return this.state === "pending";
  }

  /** Aborts when nobody waits for the answer any more: the peer is gone, or the time has passed. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (!this.isPending && this.state !== "answered") this.abandon();
    return this.#abort.signal;
  }

  /**
   * Answers. An answer to a peer that is gone, or one that comes too late, is dropped and counted.
   *
   * @param value - bytes must not be changed afterwards, unless `copy` is set.
   * @throws MsgError `MSG_ALREADY_ANSWERED`, `MSG_PAYLOAD_TOO_LARGE`, `MSG_INVALID_ARGUMENT`,
   *   `MSG_ENCODE_FAILED`; the request is still to be answered then.
   */
  respond(value: Answered, { copy = false }: RespondOptions = {}): void {
    this.#responder.respond(this, value, copy);
  }

  /**
   * Answers with an error: the peer's request rejects with `MSG_REMOTE` and this code.
   *
   * @param code - `[A-Z][A-Z0-9_]{0,63}`
   * @param message - for people; cut to 4 KiB.
   * @throws MsgError `MSG_ALREADY_ANSWERED`, `MSG_INVALID_ARGUMENT`
   */
  fail(code: string, message: string): void {
    checkRemoteCode(code);
    this.#responder.fail(this, code, message);
  }

  /** @internal Nobody waits for the answer any more. */
  abandon(): void {
    this.#abort?.abort(new MsgError("MSG_PEER_LOST", "nobody waits for this answer any more"));
  }
}
