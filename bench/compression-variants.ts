/** The compressors that are measured, and what they are made of on this Node. */
import { readFileSync } from "node:fs";
import zlib from "node:zlib";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { Compressor } from "msg-ts";

const makers = {
  "gzip 1": () => gzip({ level: 1 }),
  "gzip 6": () => gzip({ level: 6 }),
  "zstd 1": () => zstd({ level: 1 }),
  "zstd 3": () => zstd({ level: 3 }),
  snappy: () => snappy(),
  lz4: () => lz4(),
} satisfies Readonly<Record<string, () => Compressor>>;

/** A compressor with its level. */
export type Variant = keyof typeof makers;

/** All of them, in the order of the tables. */
export const variants: readonly Variant[] = Object.keys(makers) as Variant[];

/** @throws MsgError `MSG_MISSING_PACKAGE` when what it needs is not installed. */
export function compressorOf(variant: Variant): Compressor {
  return makers[variant]();
}

/** Who does the work of an algorithm, with its version. */
export interface Backends {
  readonly gzip: string;
  readonly zstd: string;
  readonly snappy: string;
  readonly lz4: string;
}

/** What the compressors use here. */
export function backends(): Backends {
  const hasBuiltinZstd = "zstdCompressSync" in zlib;
  return {
    gzip: `node:zlib (zlib ${process.versions.zlib})`,
    zstd: hasBuiltinZstd
      ? `node:zlib (zstd ${process.versions["zstd"] ?? "?"})`
      : installed("@mongodb-js/zstd"),
    snappy: installed("snappy"),
    lz4: installed("lz4-napi"),
  };
}

function installed(name: string): string {
  const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return `${name} ${version}`;
}
