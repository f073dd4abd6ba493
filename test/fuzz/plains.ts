import { compressibleBytes, incompressibleBytes } from "@msg-ts/testing";

/** What is compressed for a corpus: kinds of bytes that compressors treat differently. */
const kinds: readonly ((length: number) => Uint8Array)[] = [
  compressibleBytes,
  (length) => incompressibleBytes(length, length),
  (length) => new Uint8Array(length),
  // A period that is longer than the shortest match.
  (length) => Uint8Array.from({ length }, (_, at) => (at * at) % 251),
  // Runs of random bytes between runs of zeros.
  (length) => incompressibleBytes(length, 7).map((byte, at) => (at % 512 < 128 ? byte : 0)),
  // Few different bytes in no order: entropy coders take them.
  (length) => incompressibleBytes(length, 9).map((byte) => 97 + (byte & 3)),
];

/** Small ones are damaged more thoroughly by the same number of runs. */
const lengths = [1, 2, 5, 12, 40, 100, 300, 1_000, 4_000, 17_000];
const largeLengths = [70_000, 300_000];

/** Bytes of every kind and length, the small ones first. */
export const plains: readonly Uint8Array[] = lengths.flatMap((length) =>
  kinds.map((kind) => kind(length)),
);

/** Over the sizes from which on threads do the work. */
export const largePlains: readonly Uint8Array[] = largeLengths.flatMap((length) =>
  kinds.map((kind) => kind(length)),
);
