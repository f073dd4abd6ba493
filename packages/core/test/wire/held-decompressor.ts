import { hex } from "@msg-ts/testing";
import type { Decompressor } from "../../src/contracts/compressor.ts";
import { MsgError } from "../../src/errors.ts";

/** A call that waits until the test settles it. */
export interface HeldCall {
  /** What was to be decompressed, as hex. */
  readonly payload: string;
  readonly maxBytes: number;
  finish(plain: Uint8Array): void;
  fail(error: Error): void;
}

/** Id 5: each call waits until the test settles it, in any order. */
export class HeldDecompressor implements Decompressor {
  readonly id = 5;
  readonly name: string = "held";
  /** All so far, in their order. */
  readonly calls: HeldCall[] = [];
  /** How many are not settled. */
  underWay = 0;

  decompress(payload: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    this.underWay++;
    return new Promise((resolve, reject) => {
      this.calls.push({
        payload: hex(payload),
        maxBytes,
        finish: (plain) => {
          this.underWay--;
          resolve(plain);
        },
        fail: (error) => {
          this.underWay--;
          reject(error);
        },
      });
    });
  }

  /** Settles all there were so far with the same bytes. */
  finishAll(plain: Uint8Array): void {
    for (const call of this.calls) call.finish(plain);
  }

  /** The call at `index`, in the order they were made. */
  call(index: number): HeldCall {
    const call = this.calls[index];
    if (call === undefined)
      throw new Error(`there are ${this.calls.length} calls, none at ${index}`);
    return call;
  }
}

/** What a decompressor says of a payload over its limit. */
export function overLimit(): MsgError {
  return new MsgError("MSG_PAYLOAD_TOO_LARGE", "payload decompresses to over the limit");
}
