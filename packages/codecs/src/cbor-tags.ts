/** What has to follow a tag, as {@link contentOf} says. */
export const content = {
  /** The tag is none of those that are read. */
  none: 0,
  dateTimeText: 1,
  epochSeconds: 2,
  bignumBytes: 3,
  setArray: 4,
  mapPairs: 5,
  /** The bytes of a typed array with elements of 1 byte; plus 1, 2 and 3 for 2, 4 and 8 bytes. */
  elementBytes: 8,
} as const;

/**
 * What has to follow a tag.
 *
 * These are all the tags that are read, and none of them may follow another one. Left out on purpose
 * are, of what cbor-x knows: 4 and 5 (fractions: it rounds them), 6, 51, 216 to 255 and their like
 * (packed tables: a few bytes become many), 14, 15 and 57337 (bundled strings), 27 (objects of the
 * sender's choice: errors, regular expressions), 28 and 29 (shared and cyclic references), 105 and
 * 57342 on (records, whose keys are kept and compiled).
 */
export function contentOf(tag: number): number {
  switch (tag) {
    case 0:
      return content.dateTimeText;
    case 1:
      return content.epochSeconds;
    case 2:
    case 3:
      return content.bignumBytes;
    case 258:
      return content.setArray;
    case 259:
      return content.mapPairs;
    default:
      return typedArrayContent(tag);
  }
}

/** RFC 8746: integers are 64 to 79 but for 76, floats of 4 and 8 bytes 81, 82, 85 and 86. */
function typedArrayContent(tag: number): number {
  if (tag >= 64 && tag <= 79 && tag !== 76) return content.elementBytes + (tag & 3);
  if (tag === 81 || tag === 85) return content.elementBytes + 2;
  if (tag === 82 || tag === 86) return content.elementBytes + 3;
  return content.none;
}

/** The first and last moment of a `Date`, in seconds from 1970. */
const maxEpochSeconds = 8.64e12;

const scratch = new DataView(new ArrayBuffer(8));

/** Whether the float of `length` bytes at `start` is a moment that a `Date` can hold. */
export function isEpochFloat(bytes: Uint8Array, start: number, length: number): boolean {
  // The exponent of a half float: all ones is NaN or infinite, and all others fit.
  if (length === 2) return ((bytes[start] ?? 0) & 0x7c) !== 0x7c;
  for (let index = 0; index < length; index++) scratch.setUint8(index, bytes[start + index] ?? 0);
  const seconds = length === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0);
  return Math.abs(seconds) <= maxEpochSeconds;
}

const maxDateTimeBytes = 64;
const dateTimeForm =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Whether text is a moment as RFC 3339 writes it, and no leap second: a `Date` has none. */
export function isDateTime(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > maxDateTimeBytes) return false;
  const text = String.fromCharCode(...bytes.subarray(start, end));
  const [, year, month, day] = dateTimeForm.exec(text) ?? [];
  if (year === undefined) return false;
  const [monthNumber, dayNumber] = [Number(month), Number(day)];
  if (monthNumber < 1 || monthNumber > 12 || dayNumber < 1) return false;
  // Day 0 of the next month is the last one of this.
  const lastDay = new Date(Date.UTC(2000 + (Number(year) % 400), monthNumber, 0)).getUTCDate();
  return dayNumber <= lastDay;
}
