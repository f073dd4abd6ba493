import { allocate, copyOf, emptyBytes, encodeText, viewOf } from "../bytes.ts";
import type { CandidatePeer, ExplainEnd, HandshakeLink } from "../contracts/authenticator.ts";
import type { Link } from "../contracts/transport.ts";
import { MsgError } from "../errors.ts";

/** What may wait unread during a handshake; more stops reading from the peer. */
export const maxUnreadBytes: number = 8 * 1024;

interface Waiter {
  readonly length: number;
  readonly isPeek: boolean;
  readonly explain: ExplainEnd | undefined;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: MsgError) => void;
}

/** The bytes of a connection as its handshake sees them. */
export class LinkHandshake implements HandshakeLink {
  readonly peer: CandidatePeer;
  readonly isDialer: boolean;
  readonly #link: Link;
  readonly #owner: { readonly signal: AbortSignal };
  #unread: Uint8Array = emptyBytes;
  #waiter: Waiter | undefined;
  #failure: MsgError | undefined;
  /** The peer ended: what that means is for each read to say that gets no answer, also for a later one. */
  #isUnexplained = false;
  #isOver = false;
  #isReleased = false;
  #isReading = true;

  /** @param owner - makes the signal when somebody asks for it; few do. */
  constructor(
    link: Link,
    peer: CandidatePeer,
    isDialer: boolean,
    owner: { readonly signal: AbortSignal },
  ) {
    this.#link = link;
    this.peer = peer;
    this.isDialer = isDialer;
    this.#owner = owner;
  }

  get signal(): AbortSignal {
    return this.#owner.signal;
  }

  read(length: number, explain?: ExplainEnd): Promise<Uint8Array> {
    return this.#take(length, false, explain);
  }

  peek(length: number): Promise<Uint8Array> {
    return this.#take(length, true, undefined);
  }

  write(bytes: Uint8Array | string): void {
    if (this.#isOver) return;
    this.#link.write([typeof bytes === "string" ? encodeText(bytes) : copyOf(bytes)]);
  }

  /** More bytes from the peer. */
  push(chunk: Uint8Array): void {
    // A copy, always: a chunk may be lent, and is at times a small part of a large buffer.
    this.#unread = this.#unread.length === 0 ? copyOf(chunk) : joined(this.#unread, chunk);
    this.#settle();
    this.#setReading(this.#unread.length < maxUnreadBytes);
  }

  /** Nothing more will come: the peer ended its side. It may still wait for what we write. */
  endInput(error: MsgError): void {
    if (this.#failure === undefined) {
      this.#failure = error;
      this.#isUnexplained = error.code === "MSG_PEER_LOST";
    }
    this.#settle();
  }

  /** It is over: the deadline passed, or the connection closes. */
  fail(error: MsgError): void {
    this.#isOver = true;
    this.#failure ??= error;
    this.#settle();
  }

  /** Hands over: what was not read is the protocol's first input. */
  release(): Uint8Array {
    const unread = this.#unread;
    this.#unread = emptyBytes;
    this.#isOver = this.#isReleased = true;
    this.#settle();
    this.#setReading(true);
    return unread;
  }

  /** Why the peer is gone, as far as who waits for it can tell. */
  explained(lost: MsgError): MsgError {
    return this.#waiter?.explain?.(lost) ?? lost;
  }

  #take(length: number, isPeek: boolean, explain: ExplainEnd | undefined): Promise<Uint8Array> {
    if (!(Number.isInteger(length) && length >= 0 && length <= maxUnreadBytes)) {
      const text = `length is ${length}, must be 0 to ${maxUnreadBytes}`;
      return Promise.reject(new MsgError("MSG_INVALID_ARGUMENT", text));
    }
    if (this.#waiter !== undefined) {
      const text = "a read of this handshake is already under way";
      return Promise.reject(new MsgError("MSG_INVALID_STATE", text));
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { length, isPeek, explain, resolve, reject };
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
      return;
    }
    const failure = this.#failure ?? (this.#isReleased ? handedOver() : undefined);
    if (failure === undefined) return;
    this.#waiter = undefined;
    waiter.reject(this.#isUnexplained ? (waiter.explain?.(failure) ?? failure) : failure);
  }

  #setReading(isReading: boolean): void {
    if (isReading === this.#isReading) return;
    this.#isReading = isReading;
    this.#link.setReading(isReading);
  }
}

/** Made only for who reads all the same: it costs as much as the rest of a handshake. */
function handedOver(): MsgError {
  return new MsgError("MSG_INVALID_STATE", "handshake is over: its link may not be used");
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = allocate(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
