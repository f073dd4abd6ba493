import { MsgError } from "@msg-ts/core";
import type { ResolvedCborLimits } from "./cbor-limits.ts";
import { shownPath } from "./path.ts";
import { isWellFormed } from "./utf8.ts";

/** Integers from here on, and below minus this, are bignums. */
const bignumFrom = 2n ** 64n;

const typedArrays = [
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
];

/**
 * Looks at a value before cbor-x writes it, and refuses what would be lost, changed, or refused by
 * the receiver's limits. It follows cbor-x's own order of questions, so that what was checked is what
 * is written.
 *
 * @throws MsgError `MSG_ENCODE_FAILED`, naming what, where, and the limit.
 */
export function checkCborValue(value: unknown, limits: ResolvedCborLimits): void {
  new CborValueCheck(limits).check(value);
}

class CborValueCheck {
  readonly #limits: ResolvedCborLimits;
  /** Keys that lead to the value looked at, one for each level; what is behind is stale. */
  readonly #path: PropertyKey[] = [];
  #depth = 0;
  #items = 0;

  constructor(limits: ResolvedCborLimits) {
    this.#limits = limits;
  }

  check(value: unknown): void {
    this.#count(1);
    switch (typeof value) {
      case "string":
        return this.#checkText(value);
      case "object":
        return value === null ? undefined : this.#checkObject(value);
      case "bigint":
        return this.#checkBigInt(value);
      case "function":
      case "symbol":
        throw this.#refused(`cannot encode a ${typeof value}`);
      default:
    }
  }

  #checkObject(value: object): void {
    const { constructor } = value;
    if (constructor === Object) this.#checkPlain(value);
    else if (constructor === Array) this.#checkElements(value as readonly unknown[]);
    else if (constructor === Map) this.#checkEntries(value as ReadonlyMap<unknown, unknown>);
    else this.#checkInstance(value);
  }

  #checkPlain(value: object): void {
    // Some of the host's own objects, such as iterators, inherit their constructor from Object.
    const isPlain = Object.getPrototypeOf(value) === Object.prototype;
    if (!isPlain && (isNoData(value) || !isPlainTagged(value))) throw this.#refusedInstance(value);
    this.#checkProperties(value);
  }

  #checkInstance(value: object): void {
    if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) throw this.#refused("cannot encode an invalid Date");
    } else if (value instanceof Set) this.#checkMembers(value);
    else if (typedArrays.some((type) => value instanceof type)) return;
    else if (isNoData(value)) throw this.#refusedInstance(value);
    else if (hasToJson(value)) this.#checkJson(value, value.toJSON());
    else if (isPlainTagged(value)) this.#checkProperties(value);
    else throw this.#refusedInstance(value);
  }

  /** What `toJSON` gives takes the place of its object. */
  #checkJson(value: object, json: unknown): void {
    if (json === value) return this.#checkProperties(value);
    this.#items -= 1;
    // It is no deeper, but a toJSON that makes ever new objects has to come to an end.
    this.#enter("toJSON");
    this.check(json);
    this.#depth -= 1;
  }

  #checkProperties(value: object): void {
    this.#enter("");
    const at = this.#depth - 1;
    for (const key of Object.keys(value)) {
      this.#path[at] = key;
      this.#count(1);
      this.#checkText(key);
      if (key === "__proto__")
        throw this.#refused("cannot encode an object with the key __proto__");
      this.check((value as Readonly<Record<string, unknown>>)[key]);
    }
    this.#depth -= 1;
  }

  #checkElements(value: readonly unknown[]): void {
    this.#checkCount(value.length);
    this.#enter(0);
    const at = this.#depth - 1;
    for (let index = 0; index < value.length; index++) {
      this.#path[at] = index;
      this.check(value[index]);
    }
    this.#depth -= 1;
  }

  #checkMembers(value: ReadonlySet<unknown>): void {
    this.#enter(0);
    let index = 0;
    for (const member of value) {
      this.#path[this.#depth - 1] = index++;
      this.check(member);
    }
    this.#depth -= 1;
  }

  #checkEntries(value: ReadonlyMap<unknown, unknown>): void {
    this.#enter(0);
    let index = 0;
    for (const [key, member] of value) {
      this.#path[this.#depth - 1] = typeof key === "string" ? key : index;
      this.check(key);
      this.check(member);
      index += 1;
    }
    this.#depth -= 1;
  }

  #checkText(text: string): void {
    if (!isWellFormed(text)) throw this.#refused("cannot encode text with a lone surrogate");
  }

  #checkBigInt(value: bigint): void {
    const magnitude = value < 0n ? -1n - value : value;
    if (value < bignumFrom && value > -bignumFrom) return;
    const limit = this.#limits.maxBignumBytes;
    if (magnitude >> BigInt(8 * limit) !== 0n) {
      throw this.#refused(`cannot encode an integer of more bytes than maxBignumBytes, ${limit},`);
    }
    this.#count(Math.ceil(magnitude.toString(16).length / 2));
  }

  #enter(key: PropertyKey): void {
    const { maxDepth } = this.#limits;
    if (this.#depth === maxDepth) {
      const what = `nests deeper than maxDepth, which is ${maxDepth}, or contains itself`;
      throw new MsgError("MSG_ENCODE_FAILED", `value for cbor ${what}${this.#where()}`);
    }
    this.#path[this.#depth] = key;
    this.#depth += 1;
  }

  #count(items: number): void {
    this.#items += items;
    this.#checkCount(0);
  }

  #checkCount(more: number): void {
    const { maxItems } = this.#limits;
    if (this.#items + more <= maxItems) return;
    const what = `holds more values than maxItems, which is ${maxItems}`;
    throw new MsgError("MSG_ENCODE_FAILED", `value for cbor ${what}${this.#where()}`);
  }

  #refusedInstance(value: object): MsgError {
    const { constructor } = value;
    const hasName = typeof constructor === "function" && constructor.name !== "";
    return this.#refused(`cannot encode an instance of ${hasName ? constructor.name : "a class"}`);
  }

  #refused(what: string): MsgError {
    return new MsgError("MSG_ENCODE_FAILED", `cbor ${what}${this.#where()}`);
  }

  #where(): string {
    const path = this.#path.slice(0, this.#depth);
    return path.length === 0 ? "" : ` at ${shownPath(path)}`;
  }
}

/** What cbor-x would write as something else: iterables as arrays, errors by their message. */
function isNoData(value: object): boolean {
  return (
    Symbol.iterator in value ||
    Symbol.asyncIterator in value ||
    value instanceof Error ||
    value instanceof RegExp
  );
}

function hasToJson(value: object): value is { toJSON(): unknown } {
  return "toJSON" in value && typeof value.toJSON === "function";
}

/** False for what keeps its content where no property shows it, such as a `WeakMap`. */
function isPlainTagged(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object Object]";
}
