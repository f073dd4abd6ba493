import { allocate, copyOf, emptyBytes, encodeText, viewOf } from "../bytes.ts";
import type { CandidatePeer, HandshakeLink } from "../contracts/authenticator.ts";
import type { Link } from "../contracts/transport.ts";
import { MsgError } from "../errors.ts";

/** What may wait unread during a handshake; more stops reading from the peer. */
export const maxUnreadBytes: number = 8 * 1024;

interface Waiter {
  readonly length: number;
  readonly isPeek: boolean;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: MsgError) => void;
}

/** The bytes of a connection as its handshake sees them. */
export class LinkHandshake implements HandshakeLink {
  readonly peer: CandidatePeer;
  readonly isDialer: boolean;
  readonly signal: AbortSignal;
  readonly #link: Link;
  #unread: Uint8Array = emptyBytes;
  #waiter: Waiter | undefined;
  #failure: MsgError | undefined;
  #isOver = false;
  #isReading = true;

  constructor(link: Link, peer: CandidatePeer, isDialer: boolean, signal: AbortSignal) {
    this.#link = link;
    this.peer = peer;
    this.isDialer = isDialer;
    this.signal = signal;
  }

  read(length: number): Promise<Uint8Array> {
    return this.#take(length, false);
  }

  peek(length: number): Promise<Uint8Array> {
    return this.#take(length, true);
  }

  write(bytes: Uint8Array | string): void {
    if (this.#isOver) return;
    this.#link.write([typeof bytes === "string" ? encodeText(bytes) : copyOf(bytes)]);
  }

  /** More bytes from the peer. */
  push(chunk: Uint8Array): void {
    const joined = allocate(this.#unread.length + chunk.length);
    joined.set(this.#unread);
    joined.set(chunk, this.#unread.length);
    this.#unread = joined;
    this.#settle();
    this.#setReading(this.#unread.length < maxUnreadBytes);
  }

  /** Nothing more will come: the peer ended its side. It may still wait for what we write. */
  endInput(error: MsgError): void {
    this.#failure ??= error;
    this.#settle();
  }

  /** It is over: the deadline passed, or the connection closes. */
  fail(error: MsgError): void {
    this.#isOver = true;
    this.endInput(error);
  }

  /** Hands over: what was not read is the protocol's first input. */
  release(): Uint8Array {
    const unread = this.#unread;
    this.#unread = emptyBytes;
    this.fail(new MsgError("MSG_INVALID_STATE", "handshake is over: its link may not be used"));
    this.#setReading(true);
    return unread;
  }

  #take(length: number, isPeek: boolean): Promise<Uint8Array> {
    if (!(Number.isInteger(length) && length >= 0 && length <= maxUnreadBytes)) {
      const text = `length is ${length}, must be 0 to ${maxUnreadBytes}`;
      return Promise.reject(new MsgError("MSG_INVALID_ARGUMENT", text));
    }
    if (this.#waiter !== undefined) {
      const text = "a read of this handshake is already under way";
      return Promise.reject(new MsgError("MSG_INVALID_STATE", text));
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { length, isPeek, resolve, reject };
      this.#settle();
      if (this.#unread.length < maxUnreadBytes) this.#setReading(true);
    });
  }

  #settle(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    if (this.#unread.length >= waiter.length) {
      this.#waiter = undefined;
      const bytes = viewOf(this.#unread, 0, waiter.length);
      const rest = this.#unread.length - waiter.length;
      if (!waiter.isPeek) this.#unread = viewOf(this.#unread, waiter.length, rest);
      waiter.resolve(bytes);
    } else if (this.#failure !== undefined) {
      this.#waiter = undefined;
      waiter.reject(this.#failure);
    }
  }

  #setReading(isReading: boolean): void {
    if (isReading === this.#isReading) return;
    this.#isReading = isReading;
    this.#link.setReading(isReading);
  }
}
