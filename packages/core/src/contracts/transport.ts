import type { MsgError } from "../errors.ts";

/**
 * Makes links: dials them and listens for them.
 *
 * A transport moves bytes. It never parses a frame, retries, authenticates or logs. It holds no
 * state that one socket could disturb for another, so one instance may serve many sockets.
 */
export interface Transport {
  /** The scheme of its URLs, such as `tcp`. */
  readonly name: string;

  /** True when a listener sees a link only after the dialer wrote, as with QUIC streams. */
  readonly dialerSpeaksFirst: boolean;

  /**
   * Checks an address and gives it in the short form that {@link dial} and {@link listen} take:
   * without its scheme.
   *
   * @throws MsgError `MSG_INVALID_ADDRESS`, naming the address and what is wrong with it.
   */
  parseAddress(address: string): string;

  /**
   * Makes one link. Rejects with `MSG_DIAL_FAILED`, the host's error as its cause; when
   * `signal` aborts it gives up, frees everything and rejects.
   */
  dial(address: string, signal: AbortSignal): Promise<Link>;

  /**
   * Listens. Every link is given to `onLink`, which must `start` or `destroy` it before it returns
   * or soon after. Rejects with `MSG_LISTEN_FAILED`.
   */
  listen(address: string, handlers: ListenerHandlers): Promise<Listener>;
}

/** What the owner of a {@link Listener} is told. */
export interface ListenerHandlers {
  onLink(link: Link): void;
  /** Accepting failed for now (such as no file descriptors left); the listener lives on. */
  onError(error: MsgError): void;
  /** A peer was turned away before it was a link, such as one without a valid certificate. */
  onRefused(remoteAddress: string, error: MsgError): void;
}

/** A place where links arrive. */
export interface Listener {
  /** Where it listens, in the form that {@link Transport.dial} takes, with the port it was given. */
  readonly address: string;
  /**
   * Waits until those are links, or refused, whose peers may take themselves for connected already,
   * because the last words of a handshake are theirs; `withinMs` at most. A listener that has no
   * handshake of its own has no such method: who is in the host's queue has two turns of the event
   * loop to come out of it.
   */
  settle?(withinMs: number): Promise<void>;
  /** Stops accepting and frees the address. Links that were given out live on. Idempotent. */
  close(): Promise<void>;
}

/**
 * One established, ordered, reliable stream of bytes to one peer.
 *
 * A link knows nothing of frames, handshakes or retries. A transport must keep these promises, and
 * `testing/transport-conformance` checks them:
 * - no handler runs before {@link start}, and none runs inside a call made on the link;
 * - `onClose` runs exactly once, last, whichever side ended the link;
 * - `onEnd` runs at most once, after the last `onData`; writing is still possible then.
 */
export interface Link {
  /** Where the peer is, for people: `127.0.0.1:4444`, a path, a name. */
  readonly remoteAddress: string;

  /** What the transport itself proved about the peer, such as its certificate. */
  readonly certificate?: unknown;

  /** Bytes given to {@link write} that the transport has not taken yet. */
  readonly bufferedBytes: number;

  /** Begins reading. Call once, before anything else but {@link destroy}. */
  start(handlers: LinkHandlers): void;

  /**
   * Queues chunks to be sent in order, in one system call where that is possible. Never blocks and
   * never copies. Does nothing once the link has ended: `onClose` tells.
   *
   * @returns true when all is taken: the caller may reuse the chunks at once. False: it must not
   *   change them until `onDrain`.
   */
  write(chunks: readonly Uint8Array[]): boolean;

  /** Stops or restarts `onData`, so that a slow reader slows its sender. */
  setReading(reading: boolean): void;

  /** Sends what is queued, then ends the write side. Reading goes on until the peer ends its own. */
  end(): void;

  /** Ends the link now and drops what is queued. `onClose` follows. Idempotent. */
  destroy(): void;
}

/** What the owner of a {@link Link} is told. */
export interface LinkHandlers {
  /**
   * More bytes. The memory is the receiver's for ever, unless it is its own, from
   * {@link LinkHandlers.nextBuffer}.
   */
  onData(chunk: Uint8Array): void;
  /**
   * Where the receiver wants the next bytes, so that nobody has to move them: at least one byte.
   * A link may fill the beginning of it and give that part to `onData`, with nothing in between:
   * other links may be told to use the same memory. It asks again after each `onData`.
   */
  nextBuffer?(): Uint8Array;
  /** Everything written was taken, after a {@link Link.write} that returned false. */
  onDrain(): void;
  /** The peer ended its write side. */
  onEnd(): void;
  /** @param reason - absent when both sides ended in order, or {@link Link.destroy} was called. */
  onClose(reason?: MsgError): void;
}
