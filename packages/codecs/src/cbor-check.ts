import { MsgError } from "@msg-ts/core";
import type { ResolvedCborLimits } from "./cbor-limits.ts";
import { content, contentOf, isDateTime, isEpochFloat } from "./cbor-tags.ts";
import { isUtf8 } from "./utf8.ts";

/** Major types, RFC 8949 section 3.1: the upper 3 bits of what an item begins with. */
const bytesType = 2;
const textType = 3;
const arrayType = 4;
const mapType = 5;
const tagType = 6;
const simpleType = 7;

const breakCode = 0xff;
const indefinite = 31;

/** What kind of items the open array or map holds, as bits. */
const inArray = 0;
const inMap = 1;
/** Set while an item of a map is to be a key. */
const keyNext = 2;
/** With `inMap`: it becomes an object, whose keys are text or integers. */
const inObject = 4;
/** A break code ends it. */
const untilBreak = 8;

/** How many items an array or map without a length seems to have: even, as keys and values are. */
const endless = 2 ** 52;

/** cbor-x reads longer text with a `TextDecoder` that drops a byte order mark. */
const markKeptBytes = 64;

const protoKey = new TextEncoder().encode("__proto__");
/** Not a break code, but cbor-x takes it for one where it waits for one. */
const falseBreak = new TextEncoder().encode("[object Object]");

/** What a text of that length begins with. */
const protoHead = 0x60 + protoKey.length;
const falseBreakHead = 0x60 + falseBreak.length;

const firstShortText = 0x60;
const lastShortText = 0x77;

/** How long items are that are only a number, boolean, null or undefined, by their first byte. */
const fixedSizes: Uint8Array = Uint8Array.from({ length: 256 }, (_, head) => {
  const info = head & 31;
  const size = info < 24 ? 1 : info < 28 ? 1 + (1 << (info - 24)) : 0;
  if (head >> 5 < bytesType) return size;
  return head >= 0xf4 && head !== 0xf8 ? size : 0;
});

/** How long an item is that needs no check but that it is whole; 0 for all others. */
function plainSize(bytes: Uint8Array, position: number, head: number): number {
  if (head < firstShortText || head > lastShortText) return fixedSizes[head] ?? 0;
  const end = position + 1 + head - firstShortText;
  for (let index = position + 1; index < end; index++) {
    if ((bytes[index] ?? 0) > 0x7f) return 0;
  }
  return end - position;
}

const byteOrderMark = Uint8Array.of(0xef, 0xbb, 0xbf);

const noBytes = new Uint8Array(0);
const noMarks: readonly number[] = [];

/**
 * Reads over a payload before cbor-x does, and refuses what cbor-x reads too slowly, too generously,
 * wrongly, or not at all.
 *
 * It keeps nothing of a payload, and takes no memory for one beyond what its constructor took.
 */
export class CborCheck {
  readonly #limits: ResolvedCborLimits;
  /** Of the arrays and maps around the open one, outermost first: items to come, and kind. */
  readonly #outerLeft: Float64Array;
  readonly #outerKind: Uint8Array;
  #depth = 0;
  #left = 1;
  #kind = inArray;
  #bytes: Uint8Array = noBytes;
  #position = 0;
  #items = 0;
  #marks: number[] | undefined;

  constructor(limits: ResolvedCborLimits) {
    this.#limits = limits;
    this.#outerLeft = new Float64Array(limits.maxDepth);
    this.#outerKind = new Uint8Array(limits.maxDepth);
  }

  /**
   * Checks that the bytes from `start` on are one item, within the limits.
   *
   * @returns where items begin, in order, whose byte order mark cbor-x would drop.
   * @throws MsgError `MSG_DECODE_FAILED`, naming what, where, and the limit.
   */
  run(bytes: Uint8Array, start: number): readonly number[] {
    this.#bytes = bytes;
    this.#position = start;
    this.#items = this.#depth = 0;
    this.#left = 1;
    this.#kind = inArray;
    try {
      this.#walk();
      return this.#marks ?? noMarks;
    } finally {
      this.#bytes = noBytes;
      this.#marks = undefined;
    }
  }

  #walk(): void {
    for (;;) {
      while (this.#left === 0) {
        if (this.#depth === 0) return this.#end();
        this.#depth -= 1;
        this.#left = this.#outerLeft[this.#depth] ?? 0;
        this.#kind = this.#outerKind[this.#depth] ?? 0;
      }
      this.#plainItems();
      if (this.#left > 0) this.#item();
    }
  }

  /**
   * Passes over numbers, simple values and short ASCII text, as far as they go. This is the whole of
   * most payloads, hence local variables and a table; `#item` can do all of it too.
   */
  #plainItems(): void {
    const bytes = this.#bytes;
    const isObject = (this.#kind & inObject) !== 0;
    let left = this.#left;
    let position = this.#position;
    let isKey = (this.#kind & keyNext) !== 0;
    while (left > 0) {
      const head = bytes[position] ?? breakCode;
      const size = plainSize(bytes, position, head);
      const isSpecialKey = isKey && isObject && (head === protoHead || head > lastShortText);
      if (size === 0 || size > bytes.length - position || isSpecialKey) break;
      if (head === falseBreakHead && (this.#kind & untilBreak) !== 0) break;
      position += size;
      left -= 1;
      isKey = !isKey;
    }
    this.#count(this.#left - left);
    if ((this.#kind & inMap) !== 0) {
      this.#kind = isKey ? this.#kind | keyNext : this.#kind & ~keyNext;
    }
    this.#left = left;
    this.#position = position;
  }

  #end(): void {
    const behind = this.#bytes.length - this.#position;
    if (behind > 0) throw this.#refused(`has ${behind} bytes behind its end`, this.#position);
  }

  #item(): void {
    const start = this.#position;
    const head = this.#byte();
    if (head === breakCode) return this.#break(start);
    const isKey = (this.#kind & keyNext) !== 0;
    if ((this.#kind & inMap) !== 0) this.#kind ^= keyNext;
    this.#left -= 1;
    this.#count(1);
    const type = head >> 5;
    if (isKey && (this.#kind & inObject) !== 0) this.#checkKey(head, start);
    if (type < bytesType) this.#argument(head, start);
    else if (type === textType) this.#text(this.#length(head, start), start, isKey);
    else if (type === simpleType) this.#simple(head, start);
    else if (type === arrayType) this.#open(inArray, head, start);
    else if (type === mapType) this.#open(inMap | inObject | keyNext, head, start);
    else if (type === bytesType) this.#skip(this.#length(head, start));
    else this.#tagged(this.#tag(head, start), start);
  }

  #checkKey(head: number, start: number): void {
    const type = head >> 5;
    if (type > textType || type === bytesType) {
      throw this.#refused("has a key that is neither text nor an integer", start);
    }
  }

  #text(length: number, start: number, isKey: boolean): void {
    const at = this.#position;
    this.#skip(length);
    if (!isUtf8(this.#bytes, at, this.#position)) {
      throw this.#refused("has text that is not UTF-8", start);
    }
    if (isKey && length === protoKey.length && (this.#kind & inObject) !== 0) {
      if (this.#isAt(at, protoKey)) throw this.#refused("has the key __proto__", start);
    }
    if (length === falseBreak.length && this.#isWhereBreakMayBe(isKey)) {
      if (this.#isAt(at, falseBreak)) {
        throw this.#refused('has "[object Object]" where a break code may be,', start);
      }
    }
    if (length > markKeptBytes && this.#isAt(at, byteOrderMark)) {
      (this.#marks ??= []).push(start);
    }
  }

  #isWhereBreakMayBe(isKey: boolean): boolean {
    return (this.#kind & untilBreak) !== 0 && (isKey || (this.#kind & inMap) === 0);
  }

  #simple(head: number, start: number): void {
    const info = head & 31;
    if (info < 20) throw this.#refused(`has the unknown simple value ${info}`, start);
    if (info === 24) {
      const value = this.#byte();
      if (value < 32) throw this.#malformed("a simple value in two bytes", start);
      throw this.#refused(`has the unknown simple value ${value}`, start);
    }
    this.#argument(head, start);
  }

  /** Enters an array or map; of an object, all keys and values count. */
  #open(kind: number, head: number, start: number): void {
    const isEndless = (head & 31) === indefinite;
    const length = isEndless ? endless : this.#length(head, start);
    const count = (kind & inMap) !== 0 && !isEndless ? 2 * length : length;
    if (!isEndless) {
      // One byte for each at least: checked here, before cbor-x takes memory for them.
      if (count > this.#bytes.length - this.#position) throw this.#truncated();
      if (count > this.#limits.maxItems - this.#items) throw this.#tooMany();
    }
    const { maxDepth } = this.#limits;
    if (this.#depth === maxDepth) {
      throw this.#refused(`nests deeper than maxDepth, which is ${maxDepth},`, start);
    }
    this.#outerLeft[this.#depth] = this.#left;
    this.#outerKind[this.#depth] = this.#kind;
    this.#depth += 1;
    this.#left = count;
    this.#kind = isEndless ? kind | untilBreak : kind;
  }

  #break(start: number): void {
    const isValueNext = (this.#kind & (inMap | keyNext)) === inMap;
    if ((this.#kind & untilBreak) === 0 || isValueNext) {
      throw this.#malformed("a break code where none may be", start);
    }
    this.#left = 0;
  }

  #tag(head: number, start: number): number {
    const tag = this.#length(head, start);
    const expected = contentOf(tag);
    if (expected === content.none) throw this.#refused(`has tag ${tag}, which is not read,`, start);
    return expected;
  }

  #tagged(expected: number, tagStart: number): void {
    const start = this.#position;
    const head = this.#byte();
    const type = head >> 5;
    if (head === breakCode) throw this.#malformed("a break code where none may be", start);
    if (expected === content.setArray && type === arrayType) this.#open(inArray, head, start);
    else if (expected === content.mapPairs && type === mapType) {
      this.#open(inMap | keyNext, head, start);
    } else if (expected === content.dateTimeText && type === textType) {
      this.#dateTime(this.#length(head, start), start);
    } else if (expected === content.epochSeconds && (type < bytesType || type === simpleType)) {
      this.#epoch(head, start);
    } else if (expected === content.bignumBytes && type === bytesType) {
      this.#bignum(this.#length(head, start), tagStart);
    } else if (expected >= content.elementBytes && type === bytesType) {
      this.#elements(this.#length(head, start), 1 << (expected - content.elementBytes), start);
    } else throw this.#refused("has a tag on an item that it is not for", tagStart);
  }

  #dateTime(length: number, start: number): void {
    const at = this.#position;
    this.#skip(length);
    if (isDateTime(this.#bytes, at, this.#position)) return;
    throw this.#refused("has a date that is none of RFC 3339", start);
  }

  #elements(length: number, size: number, start: number): void {
    this.#skip(length);
    if (length % size === 0) return;
    throw this.#refused(`has ${length} bytes for elements of ${size} bytes`, start);
  }

  #epoch(head: number, start: number): void {
    const at = this.#position;
    this.#argument(head, start);
    const length = this.#position - at;
    // cbor-x makes 8 bytes a bigint, and can make no date of that.
    const isInteger = head >> 5 < bytesType && length < 8;
    const isFloat = head >> 5 === simpleType && length > 1 && isEpochFloat(this.#bytes, at, length);
    if (!isInteger && !isFloat) throw this.#refused("has a date that no Date can be", start);
  }

  #bignum(length: number, start: number): void {
    const { maxBignumBytes } = this.#limits;
    if (length > maxBignumBytes) {
      const text = `has an integer of ${length} bytes, maxBignumBytes is ${maxBignumBytes},`;
      throw this.#refused(text, start);
    }
    this.#count(length);
    this.#skip(length);
  }

  /** The length of bytes, text, an array or a map, or the number of a tag. */
  #length(head: number, start: number): number {
    const info = head & 31;
    if (info < 24) return info;
    if (info === 27) throw this.#refused("has a length or a tag of 8 bytes", start);
    if (info === indefinite && head >> 5 !== tagType) {
      throw this.#refused("has text or bytes in pieces without a length", start);
    }
    return this.#argument(head, start);
  }

  /** Reads what follows the first byte of an item. Of 8 bytes it only knows that they are there. */
  #argument(head: number, start: number): number {
    const info = head & 31;
    if (info < 24) return info;
    if (info > 27) throw this.#malformed("reserved bits", start);
    const at = this.#position;
    this.#skip(1 << (info - 24));
    let value = 0;
    for (let index = at; index < this.#position; index++) {
      value = value * 256 + (this.#bytes[index] ?? 0);
    }
    return value;
  }

  #byte(): number {
    const position = this.#position;
    if (position >= this.#bytes.length) throw this.#truncated();
    this.#position = position + 1;
    return this.#bytes[position] ?? 0;
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#position) throw this.#truncated();
    this.#position += length;
  }

  #count(items: number): void {
    this.#items += items;
    if (this.#items > this.#limits.maxItems) throw this.#tooMany();
  }

  #isAt(start: number, expected: Uint8Array): boolean {
    for (let index = 0; index < expected.length; index++) {
      if (this.#bytes[start + index] !== expected[index]) return false;
    }
    return true;
  }

  #truncated(): MsgError {
    const text = `cbor payload ends within an item: it has ${this.#bytes.length} bytes`;
    return new MsgError("MSG_DECODE_FAILED", text);
  }

  #tooMany(): MsgError {
    const text = `cbor payload holds more values than maxItems, which is ${this.#limits.maxItems}`;
    return new MsgError("MSG_DECODE_FAILED", text);
  }

  #malformed(what: string, position: number): MsgError {
    return this.#refused(`is not well-formed: ${what}`, position);
  }

  #refused(what: string, position: number): MsgError {
    return new MsgError("MSG_DECODE_FAILED", `cbor payload ${what} at byte ${position}`);
  }
}
