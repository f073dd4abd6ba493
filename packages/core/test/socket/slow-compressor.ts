import type { Compressor } from "@msg-ts/core";

/** A compressor whose work ends when it is told to; it takes away the second half, which must be zeros. */
export class SlowCompressor implements Compressor {
  readonly id = 5;
  readonly name = "slow";
  #pending: { readonly finish: () => void; readonly fail: (error: Error) => void }[] = [];

  /** How many calls are under way. */
  get pending(): number {
    return this.#pending.length;
  }

  compress(payload: Uint8Array): Promise<Uint8Array> {
    return this.#later(payload.subarray(0, payload.length / 2));
  }

  decompress(payload: Uint8Array): Promise<Uint8Array> {
    const plain = new Uint8Array(payload.length * 2);
    plain.set(payload);
    return this.#later(plain);
  }

  /** Ends the oldest calls. */
  finish(count = Infinity): void {
    for (const { finish } of this.#pending.splice(0, count)) finish();
  }

  fail(error: Error): void {
    for (const { fail } of this.#pending.splice(0)) fail(error);
  }

  #later(result: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ finish: () => resolve(result), fail: reject });
    });
  }
}
