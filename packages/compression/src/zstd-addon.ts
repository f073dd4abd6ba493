import { createRequire } from "node:module";
import { MsgError } from "@msg-ts/core";
import { loadNativePackage } from "./native-package.ts";
import { tooLarge } from "./results.ts";
import type { ZstdCodec } from "./zstd-compressor.ts";
import type { ZstdFrame } from "./zstd-frame.ts";
import { maxBlockBytes, zstdBlocks } from "./zstd-frame.ts";
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

/** So much over a small limit may be decompressed before it is refused. */
const minSpareBytes = 8 * 1024 * 1024;

/** How often the beginning of a frame is decompressed to learn what it comes to. */
const maxProbes = 3;

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

function loadAddon(): ZstdAddon {
  const main = loadNativePackage(packageName, "zstd() before Node 22.15") as ZstdFunctions;
  return zstdAddonOf(main, loadBindings());
}

/**
 * What an installed version can do, by what it exports. 1.x drops the level on the way to its
 * bindings, which heed it. From 2.0 on there are no bindings to import and the level arrives, but a
 * result is collected in memory of its own before it is copied.
 */
export function zstdAddonOf(main: ZstdFunctions, bindings: ZstdFunctions | undefined): ZstdAddon {
  const { compress, decompress } = bindings ?? main;
  const isBindings = bindings !== undefined;
  const hasLevels = isBindings || compress.length >= 2;
  return { compress, decompress, hasLevels, copiesResult: !isBindings };
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
 * A block makes up to 128 KiB. Many encoders fill all blocks but the last, yet some make two or
 * three of it to compress better. The beginning of such a frame is decompressed on its own first,
 * then more of it: what it comes to leaves less doubt about the rest.
 *
 * @throws MsgError `MSG_PAYLOAD_TOO_LARGE` also when there is too much doubt left: for frames near a
 *   limit over 8 MiB with blocks of less than a third, or of half where the window is that wide.
 */
async function decompressFrame(
  addon: ZstdAddon,
  payload: Uint8Array,
  frame: ZstdFrame,
  maxBytes: number,
): Promise<Uint8Array> {
  const windowBytes = usedWindowBytes(frame, maxBytes);
  const bound = maxBytes + spareBytes(addon, windowBytes, maxBytes);
  const probeBytes = probeBytesOf(windowBytes, maxBytes);
  let possibleBytes = frame.blocks.maxBytes;
  let [knownBytes, knownEnd] = [0, frame.blocks.start];
  for (let probe = 0; probe < maxProbes && possibleBytes > bound; probe++) {
    const next = zstdBlocks(payload, knownEnd, frame.windowBytes, probeBytes - knownBytes);
    if (next.end === knownEnd) break;
    const part = await addon.decompress(bufferOf(firstBlocks(payload, frame, next, probeBytes)));
    if (part.length > maxBytes) throw tooLarge(maxBytes);
    possibleBytes += part.length - knownBytes - next.maxBytes;
    [knownBytes, knownEnd] = [part.length, next.end];
  }
  if (possibleBytes > bound) throw mayBeTooLarge(possibleBytes, maxBytes);
  return addon.decompress(bufferOf(fitted(payload, frame, maxBytes)));
}

/** How much of the window of a frame is filled when it makes `maxBytes`. */
function usedWindowBytes(frame: ZstdFrame, maxBytes: number): number {
  return Math.min(frame.windowBytes, frame.announcedBytes ?? frame.blocks.maxBytes, maxBytes);
}

/** How much over the limit a frame may be, so that with its window it is under twice the limit. */
function spareBytes(addon: ZstdAddon, windowBytes: number, maxBytes: number): number {
  const share = addon.copiesResult ? 0.25 : 0.75;
  return Math.max(minSpareBytes, (maxBytes - windowBytes) * share);
}

/** Enough to be over the limit when all blocks are full; less when a window is filled as well. */
function probeBytesOf(windowBytes: number, maxBytes: number): number {
  const isWide = windowBytes > maxBytes / 2;
  return (isWide ? maxBytes / 2 : maxBytes) + maxBlockBytes;
}

function mayBeTooLarge(possibleBytes: number, maxBytes: number): MsgError {
  const text = `payload may decompress to ${possibleBytes} bytes, maxMessageBytes is ${maxBytes}`;
  return new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
}

/** The same memory as a `Buffer`, which is what the addon asks for. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
