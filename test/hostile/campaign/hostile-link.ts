import { setTimeout as delay } from "node:timers/promises";
import type { NaiveFrame } from "@msg-ts/testing";
import { bytes, joinBytes, naiveEncode, waitFor } from "@msg-ts/testing";
import type { Link, Transport } from "msg-ts";

const patienceMs = 30_000;

/** One raw stream to a victim, over any transport: it speaks no protocol but what it is told to. */
export class HostileLink {
  readonly #link: Link;
  #chunks: Uint8Array[] = [];
  /** Everything that came. */
  receivedBytes = 0;
  /** The other side ended, or is gone. */
  isOver = false;

  private constructor(link: Link) {
    this.#link = link;
    link.start({
      onData: (chunk) => {
        this.receivedBytes += chunk.length;
        // The beginning is enough to see whether it was let in.
        if (this.receivedBytes < 100_000) this.#chunks.push(new Uint8Array(chunk));
      },
      onDrain: () => {},
      onEnd: () => void (this.isOver = true),
      onClose: () => void (this.isOver = true),
    });
  }

  static async dial(transport: Transport, address: string): Promise<HostileLink> {
    return new HostileLink(await transport.dial(address, AbortSignal.timeout(patienceMs)));
  }

  get received(): Uint8Array {
    return joinBytes(this.#chunks);
  }

  /** @param what - bytes, or their hex. */
  write(what: Uint8Array | string): boolean {
    return this.#link.write([typeof what === "string" ? bytes(what) : what]);
  }

  send(...frames: NaiveFrame[]): boolean {
    return this.write(joinBytes(frames.map(naiveEncode)));
  }

  /** Writes much, as fast as the other side takes it, until it is over. */
  async pour(parts: Iterable<Uint8Array>): Promise<void> {
    for (const part of parts) {
      if (this.isOver) return;
      if (this.#link.write([part])) continue;
      const isThrough = (): boolean => this.isOver || this.#link.bufferedBytes === 0;
      await waitFor(isThrough, { what: "what was written is taken", withinMs: patienceMs });
    }
  }

  /** Writes byte by byte, so far apart, until it is over or all is written. */
  async dribble(what: Uint8Array, everyMs: number): Promise<void> {
    for (const byte of what) {
      if (this.isOver) return;
      this.#link.write([new Uint8Array([byte])]);
      await delay(everyMs);
    }
  }

  /** Whether more is read; what is not read stays at the victim. */
  setReading(isReading: boolean): void {
    this.#link.setReading(isReading);
  }

  async has(count: number): Promise<void> {
    const isThere = (): boolean => this.receivedBytes >= count || this.isOver;
    await waitFor(isThere, { what: `${count} bytes have come`, withinMs: patienceMs });
    if (this.receivedBytes < count)
      throw new Error(`it was over after ${this.receivedBytes} bytes`);
  }

  async over(): Promise<void> {
    await waitFor(() => this.isOver, { what: "the connection is ended", withinMs: patienceMs });
  }

  end(): void {
    this.#link.end();
  }

  destroy(): void {
    this.#link.destroy();
  }
}
