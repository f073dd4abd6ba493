import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Compressor } from "@msg-ts/core";
import { gzip } from "@msg-ts/compression/gzip";
import { lz4 } from "@msg-ts/compression/lz4";
import { snappy } from "@msg-ts/compression/snappy";
import { zstd } from "@msg-ts/compression/zstd";
import type { CheckContext } from "./checks.ts";
import type { Payload } from "./payloads.ts";
import { payloads } from "./payloads.ts";
import { piped } from "./programs.ts";
import type { PythonPeer } from "./python-peer.ts";
import type { Tally } from "./tally.ts";

const mebibyte = 1024 * 1024;

/** A way to compress. */
interface Writer<Compress> {
  readonly how: string;
  readonly compress: Compress;
  /** It is given nothing longer, because it would take too long. @defaultValue Infinity */
  readonly maxBytes?: number;
}

/** Both ends of one algorithm: ours, and another implementation. */
interface Comparison {
  readonly subject: string;
  readonly ours: Compressor;
  readonly oursWrite: readonly Writer<Compressor>[];
  readonly theirsWrite: readonly Writer<(plain: Uint8Array) => Promise<Uint8Array>>[];
  /** The other implementation's way back. */
  readonly theirsRead: (compressed: Uint8Array) => Promise<Uint8Array>;
}

type Comparer = (version: string, python: PythonPeer) => Comparison;

/** What is compared for each algorithm, by the name of the other program. */
export const comparers = { gzip: withGzip, zstd: withZstd, snappy: withSnappy, lz4: withLz4 };

/** Compresses there and decompresses here, and the other way round, all payloads in all ways. */
export async function compareCompression(
  comparer: Comparer,
  { version, python, tally }: CheckContext,
): Promise<void> {
  const comparison = comparer(version, python);
  for (const payload of payloads()) {
    await compareOurs(comparison, payload, tally);
    await compareTheirs(comparison, payload, tally);
  }
  await compareTheirs(comparison, { name: "no bytes", bytes: new Uint8Array(0) }, tally);
}

async function compareOurs(comparison: Comparison, payload: Payload, tally: Tally): Promise<void> {
  const { subject, oursWrite, theirsRead } = comparison;
  for (const { how, compress, maxBytes = Infinity } of oursWrite) {
    if (payload.bytes.length > maxBytes) continue;
    await tally.check(subject, "ours, read by the other", `${payload.name}, ${how}`, async () =>
      difference(await theirsRead(await compress.compress(payload.bytes)), payload.bytes),
    );
  }
}

async function compareTheirs(
  comparison: Comparison,
  payload: Payload,
  tally: Tally,
): Promise<void> {
  const { subject, ours, theirsWrite } = comparison;
  const limit = payload.bytes.length;
  for (const { how, compress, maxBytes = Infinity } of theirsWrite) {
    if (payload.bytes.length > maxBytes) continue;
    await tally.check(subject, "the other's, read by us", `${payload.name}, ${how}`, async () =>
      difference(await ours.decompress(await compress(payload.bytes), limit), payload.bytes),
    );
  }
}

function difference(actual: Uint8Array, expected: Uint8Array): string | undefined {
  if (actual.length !== expected.length) {
    return `${actual.length} bytes came, ${expected.length} were meant`;
  }
  return Buffer.compare(actual, expected) === 0 ? undefined : "other bytes came";
}

function withGzip(version: string): Comparison {
  return {
    subject: `gzip ${version}`,
    ours: gzip(),
    oursWrite: [0, 1, 6, 9].map((level) => writer(`level ${level}`, gzip({ level }))),
    theirsWrite: [
      ...["-1", "-6", "-9"].map((flag) => command("gzip", [flag, "-c"])),
      // The name and the time of the file stand in the header.
      fileCommand("gzip", ["-N", "-c"]),
    ],
    theirsRead: (compressed) => piped("gzip", ["-d", "-c"], compressed),
  };
}

function withZstd(version: string): Comparison {
  const small = { maxBytes: mebibyte };
  return {
    subject: `zstd ${version}`,
    ours: zstd(),
    oursWrite: [
      ...[1, 3, 9].map((level) => writer(`level ${level}`, zstd({ level }))),
      ...[19, 22].map((level) => ({ ...writer(`level ${level}`, zstd({ level })), ...small })),
    ],
    theirsWrite: [
      command("zstd", ["-q", "-c"]),
      command("zstd", ["-q", "-c", "--no-check"]),
      command("zstd", ["-q", "-c", "--fast=5"]),
      command("zstd", ["-q", "-c", "--long=27"]),
      { ...command("zstd", ["-q", "-c", "-19"]), ...small },
      { ...command("zstd", ["-q", "-c", "--ultra", "-22"]), ...small },
      fileCommand("zstd", ["-q", "-c", "--content-size"]),
      fileCommand("zstd", ["-q", "-c", "--no-content-size"]),
      fileCommand("zstd", ["-q", "-c", "-T2", "-1"]),
      // Many frames, and skippable ones between them.
      fileCommand("pzstd", ["-q", "-c", "-p", "2"]),
    ],
    theirsRead: (compressed) => piped("zstd", ["-q", "-d", "-c"], compressed),
  };
}

function withSnappy(version: string, python: PythonPeer): Comparison {
  return {
    subject: `python-snappy ${version}`,
    ours: snappy(),
    oursWrite: [
      writer("in place", snappy({ minAsyncBytes: Infinity })),
      writer("on a thread", snappy({ minAsyncBytes: 0 })),
    ],
    theirsWrite: [{ how: "raw", compress: (plain) => python.run("snappy.compress", plain) }],
    theirsRead: (compressed) => python.run("snappy.decompress", compressed),
  };
}

function withLz4(version: string, python: PythonPeer): Comparison {
  const mode = (how: string, settings: Record<string, string | number>) => ({
    how,
    compress: (plain: Uint8Array) => python.run("lz4.compress", plain, settings),
  });
  return {
    subject: `python-lz4 ${version}`,
    ours: lz4(),
    oursWrite: [
      writer("in place", lz4({ minAsyncBytes: Infinity })),
      writer("on a thread", lz4({ minAsyncBytes: 0 })),
    ],
    theirsWrite: [
      mode("default", {}),
      mode("fast", { mode: "fast", acceleration: 8 }),
      mode("high compression", { mode: "high_compression", compression: 12 }),
    ],
    theirsRead: (compressed) => python.run("lz4.decompress", compressed),
  };
}

function writer(how: string, compress: Compressor): Writer<Compressor> {
  return { how, compress };
}

/** Compresses what comes from a pipe, of which nobody knows how much it will be. */
function command(file: string, args: readonly string[]) {
  const compress = (plain: Uint8Array): Promise<Uint8Array> => piped(file, args, plain);
  return { how: `${file} ${args.join(" ")}`, compress };
}

/** Compresses a file. */
function fileCommand(file: string, args: readonly string[]) {
  const compress = async (plain: Uint8Array): Promise<Uint8Array> => {
    const folder = mkdtempSync(join(tmpdir(), "msg-ts-crosscheck-"));
    try {
      const path = join(folder, "a name.txt");
      writeFileSync(path, plain);
      return await piped(file, [...args, path]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  return { how: `${file} ${args.join(" ")} FILE`, compress };
}
