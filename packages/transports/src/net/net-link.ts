import type { Socket } from "node:net";
import process from "node:process";
import type { Link, LinkHandlers } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { hostCodeOf } from "../failures.ts";
import { PlacedReads } from "./placed-reads.ts";

const noBytes = new Uint8Array(0);

/**
 * A link over a stream socket of Node.js.
 *
 * The socket must be connected, paused from its creation on, and allow half-open ends. One with
 * {@link PlacedReads} is read by them, any other by 'data' events.
 */
export class NetLink implements Link {
  readonly remoteAddress: string;
  readonly #socket: Socket;
  #phase: "open" | "ended" | "destroyed" | "closed" = "open";
  #handlers: LinkHandlers | undefined;
  #error: Error | undefined;
  #isDrainAwaited = false;
  /** Everything up to here was taken, or `error` says that it will not be. */
  readonly #onWritten: (error?: Error | null) => void = (error) => {
    if (error instanceof Error || !this.#isDrainAwaited || this.#socket.destroyed) return;
    if (this.#socket.writableLength === 0) {
      this.#isDrainAwaited = false;
      this.#handlers?.onDrain();
    } else if (this.#phase === "open") {
      // More was written since. After end() its own callback comes last.
      this.#awaitDrain();
    }
  };

  constructor(socket: Socket, remoteAddress: string) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    // From here on, not from start: an error without a listener would end the process.
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.on("close", () => this.#onSocketClose());
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#phase === "closed") {
      process.nextTick(() => this.#tellClosed());
      return;
    }
    const socket = this.#socket;
    const reads = PlacedReads.of(socket);
    if (reads === undefined) socket.on("data", (chunk: Buffer) => handlers.onData(chunk));
    else reads.handlers = handlers;
    socket.on("end", () => {
      if (this.#phase !== "destroyed") handlers.onEnd();
    });
    socket.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#phase !== "open") return true;
    const socket = this.#socket;
    // Corked writes leave as one writev; a single chunk is cheaper without.
    const isGathered = chunks.length > 1;
    if (isGathered) socket.cork();
    for (const chunk of chunks) if (chunk.length > 0) socket.write(chunk);
    if (isGathered) socket.uncork();
    // Node.js tries to write at once: a length of 0 here means that the kernel has it all.
    if (socket.writableLength === 0) return true;
    if (!this.#isDrainAwaited) this.#awaitDrain();
    return false;
  }

  setReading(reading: boolean): void {
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  end(): void {
    if (this.#phase !== "open") return;
    this.#phase = "ended";
    this.#socket.end(this.#onWritten);
  }

  destroy(): void {
    if (this.#phase === "destroyed" || this.#phase === "closed") return;
    this.#phase = "destroyed";
    this.#socket.destroy();
  }

  /**
   * The callback of an empty write tells when all before it was taken. The 'drain' event does not:
   * it comes only after more than a high-water mark was written.
   */
  #awaitDrain(): void {
    this.#isDrainAwaited = true;
    this.#socket.write(noBytes, this.#onWritten);
  }

  #onSocketClose(): void {
    if (this.#phase === "destroyed") this.#error = undefined;
    this.#phase = "closed";
    if (this.#handlers !== undefined) this.#tellClosed();
  }

  #tellClosed(): void {
    const error = this.#error;
    if (error === undefined) this.#handlers?.onClose();
    else {
      const text = `link to ${this.remoteAddress} broke: ${hostCodeOf(error)}`;
      this.#handlers?.onClose(new MsgError("MSG_PEER_LOST", text, { cause: error }));
    }
  }
}
