import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream";
import type { Link, LinkHandlers } from "msg-ts";
import { MsgError } from "msg-ts";

/**
 * A link over any pair of streams: what comes from one, what goes to the other. A Duplex is both.
 *
 * The promises it keeps are those of `Link`; the suite that holds every transport to them runs on
 * this one too (test/examples/stream-link.test.ts).
 */
export class StreamLink implements Link {
  readonly remoteAddress: string;
  readonly #input: Readable;
  readonly #output: Writable;
  #handlers: LinkHandlers | undefined;
  #phase: "open" | "ended" | "destroyed" | "closed" = "open";
  #error: Error | undefined;
  #isDrainAwaited = false;

  constructor(input: Readable, output: Writable, remoteAddress: string) {
    this.#input = input;
    this.#output = output;
    this.remoteAddress = remoteAddress;
    let open = 2;
    const onFinished = (error?: Error | null): void => {
      if (error) this.#fail(error);
      open -= 1;
      // A tick later: this may be the very event that `onEnd` comes from, and that goes first.
      if (open === 0) process.nextTick(() => this.#onBothFinished());
    };
    finished(input, { writable: false }, onFinished);
    finished(output, { readable: false }, onFinished);
    // One that comes later still: without a listener it would end the process.
    for (const stream of [input, output]) stream.on("error", () => {});
  }

  get bufferedBytes(): number {
    return this.#output.destroyed ? 0 : this.#output.writableLength;
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#phase === "closed") {
      process.nextTick(() => this.#tellClosed());
      return;
    }
    this.#input.on("data", (chunk: Buffer) => handlers.onData(chunk));
    const onEnd = (): void => handlers.onEnd();
    // A stream without a reader may have come to its end by itself.
    if (this.#input.readableEnded) process.nextTick(onEnd);
    else this.#input.on("end", onEnd);
    this.#input.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#phase !== "open") return true;
    for (const chunk of chunks) {
      this.#output.write(chunk, () => this.#onWritten());
    }
    this.#isDrainAwaited = this.#output.writableLength > 0;
    return !this.#isDrainAwaited;
  }

  setReading(reading: boolean): void {
    if (reading) this.#input.resume();
    else this.#input.pause();
  }

  end(): void {
    if (this.#phase !== "open") return;
    this.#phase = "ended";
    this.#output.end();
  }

  destroy(): void {
    if (this.#phase === "destroyed" || this.#phase === "closed") return;
    this.#phase = "destroyed";
    this.#input.destroy();
    this.#output.destroy();
  }

  #onWritten(): void {
    if (!this.#isDrainAwaited || this.#output.destroyed || this.#output.writableLength > 0) return;
    this.#isDrainAwaited = false;
    this.#handlers?.onDrain();
  }

  /** Half of a broken link is of no use. */
  #fail(error: Error): void {
    if (this.#phase === "destroyed") return;
    this.#error = error;
    this.destroy();
  }

  #onBothFinished(): void {
    this.#phase = "closed";
    if (this.#handlers !== undefined) this.#tellClosed();
  }

  #tellClosed(): void {
    const cause = this.#error;
    if (cause === undefined) this.#handlers?.onClose();
    else {
      const text = `link to ${this.remoteAddress} broke: ${cause.message}`;
      this.#handlers?.onClose(new MsgError("MSG_PEER_LOST", text, { cause }));
    }
  }
}
