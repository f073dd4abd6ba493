import type { FrameDecoder } from "../../contracts/protocol.ts";
import type { Runtime } from "../../runtime.ts";

/**
 * A decoder that knows when what it reads came: frames that are read together came at the same
 * time, so that one look at the clock does for all of them (bench scenario: req-rep-64).
 */
export class RunClock implements FrameDecoder {
  readonly #decoder: FrameDecoder;
  readonly #runtime: Runtime;
  #isRunning = false;
  /** When the frames came that are being read; `NaN` until somebody asks. */
  #cameAtMs = Number.NaN;

  constructor(decoder: FrameDecoder, runtime: Runtime) {
    this.#decoder = decoder;
    this.#runtime = runtime;
  }

  get neededBytes(): number {
    return this.#decoder.neededBytes;
  }

  decode(bytes: Uint8Array, start: number, end: number): number {
    this.#isRunning = true;
    this.#cameAtMs = Number.NaN;
    try {
      return this.#decoder.decode(bytes, start, end);
    } finally {
      this.#isRunning = false;
    }
  }

  /** When the frame came that its reader is told of now. One that is told later came now. */
  now(): number {
    if (!this.#isRunning) return this.#runtime.now();
    if (Number.isNaN(this.#cameAtMs)) this.#cameAtMs = this.#runtime.now();
    return this.#cameAtMs;
  }
}
