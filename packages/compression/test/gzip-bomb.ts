import { constants, createDeflateRaw } from "node:zlib";
import { bytes, joinBytes } from "@msg-ts/testing";

const mebibyte = 1024 * 1024;

/** One member of `mebibytes` MiB of zeros in about a thousandth of that. Its trailer is `trailer`. */
export async function gzipBomb(mebibytes: number, trailer: string): Promise<Uint8Array> {
  const block = await oneMebibyteOfZeros();
  const blocks = Array.from({ length: mebibytes }, () => block);
  //    magic method flags time     extra os        empty last block
  const header = bytes("1f8b 08     00    00000000 00    03");
  return joinBytes([header, ...blocks, bytes("0300"), bytes(trailer)]);
}

/** A part of a deflate stream that ends on a byte and looks back on nothing, so that it repeats. */
async function oneMebibyteOfZeros(): Promise<Uint8Array> {
  const deflate = createDeflateRaw({ level: 9 });
  const parts: Uint8Array[] = [];
  deflate.on("data", (part: Uint8Array) => parts.push(part));
  deflate.write(new Uint8Array(mebibyte));
  await new Promise<void>((resolve) => {
    deflate.flush(constants.Z_FULL_FLUSH, resolve);
  });
  deflate.destroy();
  return joinBytes(parts);
}
