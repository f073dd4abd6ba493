/** Reads a payload byte by byte. Slow and simple: what the packages are compared with. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new Error("ends too early");
    return value;
  }

  littleEndian(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value += this.byte() * 2 ** (8 * i);
    return value;
  }
}

/** The plain bytes so far, of which there may not be more than were announced. */
class Output {
  readonly bytes: number[] = [];
  readonly #announced: number;

  constructor(announced: number) {
    this.#announced = announced;
  }

  literal(reader: Reader, length: number): void {
    for (let i = 0; i < length; i++) this.#add(reader.byte());
  }

  copy(offset: number, length: number): void {
    if (offset === 0 || offset > this.bytes.length) throw new Error("copies from before the start");
    for (let i = 0; i < length; i++) this.#add(this.bytes[this.bytes.length - offset] ?? 0);
  }

  whole(): Uint8Array {
    if (this.bytes.length !== this.#announced) throw new Error("holds less than announced");
    return Uint8Array.from(this.bytes);
  }

  #add(byte: number): void {
    if (this.bytes.length === this.#announced) throw new Error("holds more than announced");
    this.bytes.push(byte);
  }
}

/** Undoes lz4 as docs/wire-protocol.md has it. */
export function referenceLz4(payload: Uint8Array): Uint8Array {
  const reader = new Reader(payload);
  const output = new Output(reader.littleEndian(4));
  const extended = (length: number): number => {
    if (length < 15) return length;
    let sum = length;
    for (let more = 255; more === 255; sum += more) more = reader.byte();
    return sum;
  };
  for (;;) {
    const token = reader.byte();
    output.literal(reader, extended(token >> 4));
    if (reader.isAtEnd) return output.whole();
    const offset = reader.littleEndian(2);
    output.copy(offset, extended(token & 0x0f) + 4);
  }
}

/** Undoes snappy, the raw format. */
export function referenceSnappy(payload: Uint8Array): Uint8Array {
  const reader = new Reader(payload);
  const output = new Output(announcedLength(reader));
  while (!reader.isAtEnd) element(reader, output);
  return output.whole();
}

function announcedLength(reader: Reader): number {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = reader.byte();
    value += (byte & 0x7f) * 2 ** shift;
    if (shift > 28 || value >= 2 ** 32) throw new Error("announces over 32 bits");
    if (byte < 0x80) return value;
  }
}

function element(reader: Reader, output: Output): void {
  const tag = reader.byte();
  const upper = tag >> 2;
  switch (tag & 3) {
    case 0:
      return output.literal(reader, 1 + (upper < 60 ? upper : reader.littleEndian(upper - 59)));
    case 1:
      return output.copy(((upper >> 3) << 8) + reader.byte(), (upper & 7) + 4);
    case 2:
      return output.copy(reader.littleEndian(2), upper + 1);
    default:
      return output.copy(reader.littleEndian(4), upper + 1);
  }
}
