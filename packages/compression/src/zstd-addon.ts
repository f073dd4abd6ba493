import { createRequire } from "node:module";
import { MsgError } from "@msg-ts/core";
import { loadNativePackage } from "./native-package.ts";
import { tooLarge } from "./results.ts";
import type { ZstdCodec } from "./zstd-compressor.ts";
import type { ZstdFrame } from "./zstd-frame.ts";
import { zstdBlocks } from "./zstd-frame.ts";
import { firstBlocks, fitted } from "./zstd-rewrite.ts";

/** What all versions of `@mongodb-js/zstd` have. Both work on a thread. */
export interface ZstdFunctions {
  readonly compress: (data: Buffer, level: number) => Promise<Uint8Array>;
  readonly decompress: (data: Buffer) => Promise<Uint8Array>;
}

/** One installed version of `@mongodb-js/zstd`. */
export interface ZstdAddon extends ZstdFunctions {
  /** Whether `compress` heeds the level. */
  readonly hasLevels: boolean;
  /** Whether a result is in memory twice before it is given. */
  readonly copiesResult: boolean;
}

const packageName = "@mongodb-js/zstd";
const bindingsName = "@mongodb-js/zstd/bindings";
const defaultLevel = 3;

/** So much more than the limit may be decompressed to find out whether it is over the limit. */
const minSpareBytes = 1024 * 1024;

/** How often the beginning of a frame is decompressed to learn what it comes to. */
const maxProbes = 8;

const require = createRequire(import.meta.url);

/**
 * The zstd of the package `@mongodb-js/zstd`. Always works on a thread.
 *
 * @throws MsgError `MSG_MISSING_PACKAGE`; `MSG_INVALID_OPTION` for a level that the installed
 *   version would not heed.
 */
export function addonZstd(level: number): ZstdCodec {
  return zstdOfAddon(loadAddon(), level);
}

/** The same with an addon that is loaded already. */
export function zstdOfAddon(addon: ZstdAddon, level: number): ZstdCodec {
  if (level !== defaultLevel && !addon.hasLevels) {
    const text = `zstd level is ${level}, must be ${defaultLevel} with the installed ${packageName}, which has no levels`;
    throw new MsgError("MSG_INVALID_OPTION", text);
  }
  return {
    compress: (payload) => addon.compress(bufferOf(payload), level),
    decompressFrame: (payload, frame, maxBytes) => decompressFrame(addon, payload, frame, maxBytes),
  };
}

/**
 * Versions differ. 1.x drops the level on the way to its bindings, which heed it. From 2.0 on the
 * level arrives, and results are collected in memory of their own before they are copied.
 */
function loadAddon(): ZstdAddon {
  const main = loadNativePackage(packageName, "zstd() before Node 22.15") as ZstdFunctions;
  const bindings = loadBindings();
  if (bindings !== undefined) return { ...bindings, hasLevels: true, copiesResult: false };
  return { ...main, hasLevels: main.compress.length >= 2, copiesResult: true };
}

function loadBindings(): ZstdFunctions | undefined {
  try {
    return require(bindingsName) as ZstdFunctions;
  } catch {
    return undefined;
  }
}

/**
 * No version has a limit of its own, so that a frame is given to it only when its blocks cannot
 * make much more than `maxBytes`.
 *
 * A block makes up to 128 KiB. Most encoders fill all blocks but the last, yet some make two or
 * three of it to compress better. The beginning of such a frame is decompressed on its own, then
 * more of it, until its true size leaves no doubt about the rest.
 */
async function decompressFrame(
  addon: ZstdAddon,
  payload: Uint8Array,
  frame: ZstdFrame,
  maxBytes: number,
): Promise<Uint8Array> {
  const bound = maxBytes + spareBytes(addon, frame, maxBytes);
  let next = zstdBlocks(payload, frame.blocks.start, frame.windowBytes, bound);
  for (let probe = 0; !next.isComplete; probe++) {
    if (probe === maxProbes) throw new Error("zstd frame has too many small blocks");
    const part = firstBlocks(payload, frame, next, bound);
    const knownBytes = (await addon.decompress(bufferOf(part))).length;
    if (knownBytes > maxBytes) throw tooLarge(maxBytes);
    next = zstdBlocks(payload, next.end, frame.windowBytes, bound - knownBytes);
  }
  return addon.decompress(bufferOf(fitted(payload, frame, maxBytes)));
}

/**
 * How much over the limit a frame may be found to be, so that with the window of the decoder all of
 * it stays under twice the limit.
 */
function spareBytes(addon: ZstdAddon, frame: ZstdFrame, maxBytes: number): number {
  if (addon.copiesResult) return minSpareBytes;
  const contentBytes = Math.min(frame.announcedBytes ?? frame.blocks.maxBytes, maxBytes);
  const windowBytes = Math.min(frame.windowBytes, contentBytes);
  return Math.max(minSpareBytes, (maxBytes - windowBytes) / 2);
}

/** The same memory as a `Buffer`, which is what the addon asks for. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
