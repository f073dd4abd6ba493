import type { Link, MsgError } from "@msg-ts/core";
import { patternMismatch } from "./transport-pattern.ts";

/** Offered by every probe: what a link read into it is told before another link reads. */
const sharedBuffer = Buffer.alloc(40_000);

/** Calls on any link that have not returned yet: no handler may run inside one. */
let callsUnderWay = 0;

/**
 * One end of a link under test: every call goes through it, and it holds the link to the promises
 * about what is told when. What was broken is in {@link violations}.
 */
export class LinkProbe {
  readonly link: Link;
  readonly violations: string[] = [];
  /** Runs behind each chunk that was recorded. */
  onData: ((chunk: Uint8Array) => void) | undefined;
  /** Runs when everything written was taken. */
  onDrain: (() => void) | undefined;
  /** When false, bytes are held against the pattern of the tests and not kept. */
  keepsBytes = true;
  receivedBytes = 0;
  chunkCount = 0;
  drainCount = 0;
  hasPeerEnded = false;
  isStarted = false;
  isDestroyed = false;
  isClosed = false;
  closeReason: MsgError | undefined;
  #kept: Uint8Array[] = [];
  #skipBytes: number;
  #isDrainOwed = false;

  /** @param skipBytes - sent only to make the link, so not recorded. */
  constructor(link: Link, skipBytes = 0) {
    this.link = link;
    this.#skipBytes = skipBytes;
  }

  /** What was received, as text. */
  get text(): string {
    return new TextDecoder().decode(Buffer.concat(this.#kept));
  }

  start(): void {
    this.isStarted = true;
    this.#call(() =>
      this.link.start({
        onData: (chunk) => this.#onData(chunk),
        nextBuffer: () => sharedBuffer,
        onDrain: () => this.#onDrain(),
        onEnd: () => this.#onEnd(),
        onClose: (reason) => this.#onClose(reason),
      }),
    );
  }

  write(...chunks: readonly Uint8Array[]): boolean {
    const isTaken = this.#call(() => this.link.write(chunks));
    if (!isTaken) this.#isDrainOwed = true;
    return isTaken;
  }

  /** Writes text. */
  say(text: string): boolean {
    return this.write(new TextEncoder().encode(text));
  }

  setReading(reading: boolean): void {
    this.#call(() => this.link.setReading(reading));
  }

  end(): void {
    this.#call(() => this.link.end());
  }

  destroy(): void {
    this.isDestroyed = true;
    this.#call(() => this.link.destroy());
  }

  #call<T>(call: () => T): T {
    callsUnderWay += 1;
    try {
      return call();
    } finally {
      callsUnderWay -= 1;
    }
  }

  #check(handler: string): void {
    if (callsUnderWay > 0) this.violations.push(`${handler} ran inside a call on a link`);
    if (!this.isStarted) this.violations.push(`${handler} ran before start`);
    if (this.isDestroyed && handler !== "onClose") {
      this.violations.push(`${handler} ran after destroy`);
    }
    if (this.isClosed) this.violations.push(`${handler} ran after onClose`);
  }

  #onData(chunk: Uint8Array): void {
    this.#check("onData");
    if (this.hasPeerEnded) this.violations.push("onData ran after onEnd");
    if (chunk.length === 0) this.violations.push("onData was given an empty chunk");
    if (chunk.buffer === sharedBuffer.buffer && chunk.byteOffset !== sharedBuffer.byteOffset) {
      this.violations.push("onData was given another part of the memory it offered");
    }
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    const bytes = chunk.subarray(skipped);
    if (bytes.length === 0) return;
    this.chunkCount += 1;
    if (this.keepsBytes) this.#kept.push(new Uint8Array(bytes));
    else this.#compare(bytes);
    this.receivedBytes += bytes.length;
    this.onData?.(bytes);
  }

  #compare(bytes: Uint8Array): void {
    const at = patternMismatch(bytes, this.receivedBytes);
    if (at >= 0) this.violations.push(`byte ${this.receivedBytes + at} is not what was sent`);
  }

  #onDrain(): void {
    this.#check("onDrain");
    if (!this.#isDrainOwed) this.violations.push("onDrain ran though no write returned false");
    const { bufferedBytes } = this.link;
    if (bufferedBytes > 0) this.violations.push(`onDrain ran with ${bufferedBytes} bytes buffered`);
    this.#isDrainOwed = false;
    this.drainCount += 1;
    this.onDrain?.();
  }

  #onEnd(): void {
    this.#check("onEnd");
    if (this.hasPeerEnded) this.violations.push("onEnd ran twice");
    this.hasPeerEnded = true;
  }

  #onClose(reason: MsgError | undefined): void {
    this.#check("onClose");
    this.isClosed = true;
    this.closeReason = reason;
  }
}
