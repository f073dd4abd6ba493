// Makes each compressor, and says of each that could not be made why.
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import { MsgError } from "msg-ts";

function whyNot(make: () => unknown): object | null {
  try {
    make();
    return null;
  } catch (error) {
    if (!MsgError.is(error)) throw error;
    const { code, message, cause } = error;
    return { code, message, cause: cause instanceof Error ? cause.message : undefined };
  }
}

const makings = Object.entries({ gzip, zstd, snappy, lz4 });
console.log(
  JSON.stringify(Object.fromEntries(makings.map(([name, make]) => [name, whyNot(make)]))),
);
