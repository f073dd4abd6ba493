import type { Compressor } from "@msg-ts/core";
import { compressibleBytes } from "@msg-ts/testing";
import { expect, it } from "vitest";

/** Makes a compressor that is told from how many bytes on it works off the main thread. */
export type CreateCompressor = (options?: { readonly minAsyncBytes?: number }) => Compressor;

/** From how many plain bytes on it does by default. */
export interface AsyncDefaults {
  readonly compressFrom: number;
  readonly decompressFrom: number;
}

/** Whether compressing, and decompressing, `length` bytes is done in place. */
export async function isInPlace(
  compressor: Compressor,
  length: number,
): Promise<{ compress: boolean; decompress: boolean }> {
  const compressed = compressor.compress(compressibleBytes(length));
  const plain = compressor.decompress(await compressed, length);
  await plain;
  return { compress: compressed instanceof Uint8Array, decompress: plain instanceof Uint8Array };
}

/** The tests of where a compressor works; call it inside a `describe`. */
export function itWorksInPlace(
  create: CreateCompressor,
  { compressFrom, decompressFrom }: AsyncDefaults,
): void {
  itKeepsMinAsyncBytes(create);
  it(`below ${compressFrom} bytes to compress and ${decompressFrom} to decompress, by default`, async () => {
    expect((await isInPlace(create(), compressFrom - 1)).compress).toBe(true);
    expect((await isInPlace(create(), compressFrom)).compress).toBe(false);
    expect((await isInPlace(create(), decompressFrom - 1)).decompress).toBe(true);
    expect((await isInPlace(create(), decompressFrom)).decompress).toBe(false);
  });
}

/** The tests of a `minAsyncBytes` that is given; call it inside a `describe`. */
export function itKeepsMinAsyncBytes(create: CreateCompressor): void {
  it("below minAsyncBytes, both ways", async () => {
    const compressor = create({ minAsyncBytes: 100 });
    expect(await isInPlace(compressor, 99)).toEqual({ compress: true, decompress: true });
    expect(await isInPlace(compressor, 100)).toEqual({ compress: false, decompress: false });
  });

  it("never when minAsyncBytes is 0, always when it is Infinity", async () => {
    const never = await isInPlace(create({ minAsyncBytes: 0 }), 1);
    expect(never).toEqual({ compress: false, decompress: false });
    const always = await isInPlace(create({ minAsyncBytes: Infinity }), 1_000_000);
    expect(always).toEqual({ compress: true, decompress: true });
  });
}

/** The tests of a `minAsyncBytes` that cannot be; call it inside a `describe`. */
export function itRefusesMinAsyncBytes(name: string, create: CreateCompressor): void {
  for (const minAsyncBytes of [-1, 0.5, Number.NaN, -Infinity]) {
    it(`refuse a minAsyncBytes of ${minAsyncBytes}, naming it`, () => {
      expect(() => create({ minAsyncBytes })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: expect.stringMatching(`^${name} minAsyncBytes is ${minAsyncBytes}, must be`),
        }),
      );
    });
  }
}
