/**
 * Reads one well-formed item as RFC 8949 says, with no eye on cost: the second opinion on what
 * cbor-x makes of a payload that was let pass.
 */
export function naiveCbor(payload: Uint8Array): unknown {
  const reader = new NaiveReader(payload);
  const value = reader.item();
  if (reader.position !== payload.length) throw new Error("bytes behind the end");
  return value;
}

const breakCode = Symbol("break");

const typedArrays: Readonly<Record<number, [new (buffer: ArrayBuffer) => unknown, number]>> = {
  64: [Uint8Array, 1],
  65: [Uint16Array, 2],
  66: [Uint32Array, 4],
  67: [BigUint64Array, 8],
  68: [Uint8ClampedArray, 1],
  69: [Uint16Array, -2],
  70: [Uint32Array, -4],
  71: [BigUint64Array, -8],
  72: [Int8Array, 1],
  73: [Int16Array, 2],
  74: [Int32Array, 4],
  75: [BigInt64Array, 8],
  77: [Int16Array, -2],
  78: [Int32Array, -4],
  79: [BigInt64Array, -8],
  81: [Float32Array, 4],
  82: [Float64Array, 8],
  85: [Float32Array, -4],
  86: [Float64Array, -8],
};

class NaiveReader {
  position = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  item(asMap = false): unknown {
    const head = this.#take(1)[0] ?? 0;
    const type = head >> 5;
    const info = head & 31;
    if (info === 31) return this.#endless(type, asMap);
    const at = this.position;
    const argument = this.#argument(info);
    const number = Number(argument);
    switch (type) {
      case 0:
        return info === 27 ? argument : number;
      case 1:
        return info === 27 ? -1n - argument : -1 - number;
      case 2:
        return this.#take(number).slice();
      case 3:
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
          this.#take(number),
        );
      case 4:
        return Array.from({ length: number }, () => this.item());
      case 5:
        return this.#entries(
          Array.from({ length: number }, () => [this.item(), this.item()]),
          asMap,
        );
      case 6:
        return this.#tagged(number);
      default:
        return info < 24 ? simple(info) : float(this.#bytes, at, info);
    }
  }

  #endless(type: number, asMap: boolean): unknown {
    if (type === 7) return breakCode;
    const items: unknown[] = [];
    for (let item = this.item(); item !== breakCode; item = this.item()) items.push(item);
    if (type === 4) return items;
    const pairs = items.flatMap((key, index) => (index % 2 === 0 ? [[key, items[index + 1]]] : []));
    return this.#entries(pairs, asMap);
  }

  #entries(pairs: unknown[][], asMap: boolean): unknown {
    if (asMap) return new Map(pairs as [unknown, unknown][]);
    return Object.fromEntries(pairs.map(([key, value]) => [String(key), value]));
  }

  #tagged(tag: number): unknown {
    const value = this.item(tag === 259);
    if (tag === 0) return new Date(value as string);
    if (tag === 1) return new Date(Math.round((value as number) * 1000));
    if (tag === 2 || tag === 3) {
      const magnitude = BigInt(`0x0${Buffer.from(value as Uint8Array).toString("hex")}`);
      return tag === 2 ? magnitude : -1n - magnitude;
    }
    if (tag === 258) return new Set(value as unknown[]);
    if (tag === 259 || tag === 55799) return value;
    const [ArrayType, size] = typedArrays[tag] ?? [];
    if (ArrayType === undefined || size === undefined) throw new Error(`tag ${tag}`);
    return new ArrayType(reordered(value as Uint8Array, size).buffer as ArrayBuffer);
  }

  #argument(info: number): bigint {
    if (info < 24) return BigInt(info);
    return BigInt(`0x${Buffer.from(this.#take(2 ** (info - 24))).toString("hex")}`);
  }

  #take(length: number): Uint8Array {
    const end = this.position + length;
    if (end > this.#bytes.length) throw new Error("ends early");
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }
}

function simple(info: number): unknown {
  if (info < 20) throw new Error("unknown simple value");
  return [false, true, null, undefined][info - 20];
}

function float(bytes: Uint8Array, at: number, info: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  if (info === 27) return view.getFloat64(0);
  if (info === 26) return view.getFloat32(0);
  const half = view.getUint16(0);
  const sign = half < 0x8000 ? 1 : -1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bytes in this machine's order; a negative size stands for little-endian elements. */
function reordered(bytes: Uint8Array, size: number): Uint8Array {
  const isHostOrder = size < 0;
  const copy = bytes.slice();
  if (isHostOrder) return copy;
  for (let start = 0; start < copy.length; start += size) {
    copy.subarray(start, start + size).reverse();
  }
  return copy;
}
