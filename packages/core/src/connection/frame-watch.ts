import { MsgError } from "../errors.ts";
import type { Runtime, TimerHandle } from "../runtime.ts";

/** How much a frame that is not whole must grow by, each time its time is over, to be waited for. */
const leastProgressBytes = 64 * 1024;

/** What is watched: a connection that has read a part of a frame. */
export interface FramedConnection {
  /** Where in the stream the frame at hand begins. */
  readonly frameOffset: number;
  /** How much of it has come; 0 when there is none. */
  readonly undecodedBytes: number;
  /** False while we do not read. */
  readonly isOpen: boolean;
  /** It is not watched any more: it says so again with its next part of a frame. */
  onUnwatched(): void;
  /** Ends the connection. */
  fail(error: MsgError): void;
}

interface Heard {
  frameOffset: number;
  bytes: number;
  sinceMs: number;
}

/**
 * Finds peers that begin a frame and do not get on with it, such as one that sends a byte a minute,
 * for ever. One timer for all connections of a socket, and none while every frame is whole; nothing
 * on the path of a message. It is noticed within 1.25 times the limit. A peer that we do not read
 * from is not slow.
 */
export class FrameWatch {
  readonly #runtime: Runtime;
  readonly #limitMs: number;
  readonly #watched: Map<FramedConnection, Heard> = new Map();
  #timer: TimerHandle;
  #lastLookMs = 0;

  /** @param limitMs - how long a frame may take for its end, or for 64 KiB more. */
  constructor(runtime: Runtime, limitMs: number) {
    this.#runtime = runtime;
    this.#limitMs = limitMs;
  }

  /** It has read a part of a frame. Until {@link FramedConnection.onUnwatched} it need not say so again. */
  watch(connection: FramedConnection): void {
    if (this.#limitMs === Infinity) return;
    const { frameOffset, undecodedBytes: bytes } = connection;
    this.#watched.set(connection, { frameOffset, bytes, sinceMs: this.#runtime.now() });
    if (this.#timer === undefined) this.#start();
  }

  /** It ends. */
  forget(connection: FramedConnection): void {
    if (!this.#watched.delete(connection) || this.#watched.size > 0) return;
    this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#lastLookMs = this.#runtime.now();
    this.#timer = this.#runtime.setTimer(() => this.#look(), this.#limitMs / 4);
  }

  #look(): void {
    const now = this.#runtime.now();
    // When it is we who stood still, what came meanwhile is not read yet.
    const wasBlocked = now - this.#lastLookMs > this.#limitMs / 2;
    this.#timer = undefined;
    for (const [connection, heard] of this.#watched) {
      const { frameOffset, undecodedBytes: bytes, isOpen } = connection;
      const isSame = heard.frameOffset === frameOffset && bytes > 0;
      if (isOpen && bytes === 0) {
        this.#watched.delete(connection);
        connection.onUnwatched();
      } else if (wasBlocked || !isOpen || !isSame || bytes >= heard.bytes + leastProgressBytes) {
        heard.frameOffset = frameOffset;
        heard.bytes = bytes;
        heard.sinceMs = now;
      } else if (now - heard.sinceMs >= this.#limitMs) {
        const grown = bytes - heard.bytes;
        const text = `a frame of the peer grew by ${grown} bytes in ${Math.round(now - heard.sinceMs)} ms`;
        connection.fail(
          new MsgError("MSG_FRAME_TIMEOUT", `${text}, frameTimeoutMs is ${this.#limitMs}`),
        );
      }
    }
    if (this.#watched.size > 0 && this.#timer === undefined) this.#start();
  }
}
