/** Payloads that tell which one they are, as msg-rs/src/numbered.rs makes them too. */

const numberBytes = 8;

/** 8 bytes of number, then bytes that follow from it; at least 8 in all. */
export function numbered(number: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(size, numberBytes));
  bytes.writeBigUInt64BE(BigInt(number));
  for (let index = numberBytes; index < size; index++) bytes[index] = (number + index) & 0xff;
  return bytes;
}

/** The number of such a payload; `undefined` when it is none. */
export function numberOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < numberBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const number = Number(view.getBigUint64(0));
  for (let index = numberBytes; index < bytes.length; index++) {
    if (bytes[index] !== ((number + index) & 0xff)) return undefined;
  }
  return number;
}

/** Which numbers were there, as ranges; numbers mostly come in order. */
export class Seen {
  readonly ranges: [first: number, last: number][] = [];
  repeated = 0;

  get count(): number {
    return this.ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** The last number that came; -1 before there is one. */
  get last(): number {
    return this.ranges.at(-1)?.[1] ?? -1;
  }

  add(number: number): void {
    const range = this.ranges.at(-1);
    if (range === undefined || number > range[1] + 1) this.ranges.push([number, number]);
    else if (number > range[1]) range[1] = number;
    else this.#addLate(number);
  }

  #addLate(number: number): void {
    const index = this.ranges.findIndex(([, last]) => number <= last);
    const [first] = this.ranges[index] ?? [Infinity];
    if (number >= first) this.repeated += 1;
    else this.ranges.splice(index, 0, [number, number]);
  }
}
