/** What can be known of one zstd frame without decompressing it. Offsets are of the payload. */
export interface ZstdFrame {
  readonly start: number;
  readonly hasChecksum: boolean;
  /** How far back its blocks may look, which is what a decoder may have to keep. */
  readonly windowBytes: number;
  /** Length of the plain bytes as the header says; absent when it does not say. */
  readonly announcedBytes: number | undefined;
  readonly blocks: ZstdBlocks;
  /** Behind its last byte. */
  readonly end: number;
}

/** Some blocks in a row, and what they come to. */
export interface ZstdBlocks {
  readonly start: number;
  /** Where the header of the last one is; `start` when there is none. */
  readonly lastAt: number;
  readonly end: number;
  /** They make at least this many plain bytes. */
  readonly minBytes: number;
  /** They make at most this many plain bytes. */
  readonly maxBytes: number;
  /** Whether the last one says that it is. */
  readonly isComplete: boolean;
}

/** What a block may make, RFC 8878 section 3.1.1.2.4; less where the window is smaller. */
export const maxBlockBytes: number = 128 * 1024;

/** The widest window that libzstd takes unless told otherwise, and that `zstd --long` makes. */
const maxWindowBytes = 2 ** 27;

/** Each frame costs a call. What compresses in parallel makes frames of some MiB. */
const maxFrames = 100;

/** Each block costs a look, and makes up to 128 KiB for that. */
const maxBlocks = 65_536;

const magic = 0xfd2fb528;
const firstSkippableMagic = 0x184d2a50;
const lastSkippableMagic = 0x184d2a5f;

/** Kinds of blocks, RFC 8878 section 3.1.1.2.2. */
const rle = 1;
const compressed = 2;

/**
 * Reads the headers of all frames and all blocks, RFC 8878 section 3.1, and decompresses nothing.
 *
 * Frames may follow each other and stand for their contents in a row. Skippable frames stand for
 * nothing and are left out.
 *
 * @throws Error when a frame is not whole or breaks the format, needs a dictionary or a window over
 *   {@link maxWindowBytes}, or announces what its blocks do not make; when anything but a frame
 *   follows; and when there are over 100 frames, or over 65,536 blocks in one.
 */
export function zstdFrames(payload: Uint8Array): readonly ZstdFrame[] {
  if (payload.length === 0) throw truncated();
  const frames: ZstdFrame[] = [];
  let offset = 0;
  for (let count = 0; offset < payload.length; count++) {
    if (count === maxFrames) throw new Error(`payload has over ${maxFrames} zstd frames`);
    const found = littleEndian(payload, offset, 4);
    if (found >= firstSkippableMagic && found <= lastSkippableMagic) {
      offset = within(payload, offset + 8 + littleEndian(payload, offset + 4, 4));
    } else {
      if (found !== magic) throw new Error(`no zstd frame at offset ${offset}`);
      const frame = frameAt(payload, offset);
      frames.push(frame);
      offset = frame.end;
    }
  }
  return frames;
}

/**
 *   offset  size  field
 *   0       4     28 b5 2f fd
 *   4       1     descriptor: bits 0-1 how long the dictionary id is, 2 checksum, 3 reserved,
 *                 5 single segment, 6-7 how long the content size is
 *   5       0, 1  window; a single segment has none, its window is its content
 *   -       0-4   dictionary id
 *   -       0-8   content size
 *   -       -     blocks
 *   -       0, 4  checksum
 */
function frameAt(payload: Uint8Array, start: number): ZstdFrame {
  const descriptor = littleEndian(payload, start + 4, 1);
  if ((descriptor & 0x08) !== 0) throw new Error("reserved bit of a zstd frame is set");
  const isSingle = (descriptor & 0x20) !== 0;
  const windowLength = isSingle ? 0 : 1;
  const dictionaryLength = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentLength = [isSingle ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;

  const dictionaryAt = start + 5 + windowLength;
  const contentAt = dictionaryAt + dictionaryLength;
  const dictionary = littleEndian(payload, dictionaryAt, dictionaryLength);
  if (dictionary !== 0) throw new Error(`zstd frame needs dictionary ${dictionary}`);
  const content = littleEndian(payload, contentAt, contentLength) + (contentLength === 2 ? 256 : 0);
  const windowBytes = isSingle ? content : windowOf(littleEndian(payload, start + 5, 1));

  const blocks = zstdBlocks(payload, contentAt + contentLength, windowBytes);
  const announcedBytes = contentLength === 0 ? undefined : content;
  checkAnnounced(announcedBytes, blocks);
  const hasChecksum = (descriptor & 0x04) !== 0;
  const end = within(payload, blocks.end + (hasChecksum ? 4 : 0));
  return { start, hasChecksum, windowBytes, announcedBytes, blocks, end };
}

/**
 * The window that the byte `field` of a header stands for: five bits of exponent, three of mantissa.
 *
 * @throws Error when it is over {@link maxWindowBytes}.
 */
export function windowOf(field: number): number {
  const base = 2 ** (10 + (field >>> 3));
  const windowBytes = base + (base / 8) * (field & 7);
  if (windowBytes <= maxWindowBytes) return windowBytes;
  throw new Error(`zstd frame needs a window of ${windowBytes} bytes, at most ${maxWindowBytes}`);
}

function checkAnnounced(announced: number | undefined, { minBytes, maxBytes }: ZstdBlocks): void {
  if (announced === undefined || (announced >= minBytes && announced <= maxBytes)) return;
  throw new Error(
    `zstd frame announces ${announced} bytes, its blocks make ${minBytes} to ${maxBytes}`,
  );
}

/**
 * Reads the headers of the blocks from `start` on, up to the last one of the frame or the one that
 * would make more than `limitBytes` possible.
 *
 * @throws Error when a block is not whole or breaks the format.
 */
export function zstdBlocks(
  payload: Uint8Array,
  start: number,
  windowBytes: number,
  limitBytes: number = Infinity,
): ZstdBlocks {
  const mostBytes = Math.min(windowBytes, maxBlockBytes);
  let [lastAt, end, minBytes, maxBytes] = [start, start, 0, 0];
  let isComplete = false;
  for (let count = 0; !isComplete; count++) {
    if (count === maxBlocks) throw new Error(`zstd frame has over ${maxBlocks} blocks`);
    if (end + 3 > payload.length) throw truncated();
    const header = uint24(payload, end);
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    if (kind > compressed) throw new Error("zstd block is of the reserved kind");
    if (size > mostBytes) throw new Error(`zstd block has ${size} bytes, at most ${mostBytes}`);
    const blockMaxBytes = kind === compressed ? mostBytes : size;
    if (maxBytes + blockMaxBytes > limitBytes) break;
    maxBytes += blockMaxBytes;
    if (kind !== compressed) minBytes += size;
    lastAt = end;
    end += 3 + (kind === rle ? 1 : size);
    isComplete = (header & 1) !== 0;
  }
  return { start, lastAt, end: within(payload, end), minBytes, maxBytes, isComplete };
}

function uint24(payload: Uint8Array, offset: number): number {
  const low = payload[offset] ?? 0;
  const middle = payload[offset + 1] ?? 0;
  const high = payload[offset + 2] ?? 0;
  return low | (middle << 8) | (high << 16);
}

/** A number of `length` bytes, 0 to 8; not exact above 2^53, but above it all the same. */
function littleEndian(payload: Uint8Array, offset: number, length: number): number {
  within(payload, offset + length);
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (payload[offset + i] ?? 0);
  return value;
}

function within(payload: Uint8Array, end: number): number {
  if (end > payload.length) throw truncated();
  return end;
}

function truncated(): Error {
  return new Error("unexpected end of file");
}
