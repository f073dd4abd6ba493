import { MsgError } from "@msg-ts/core";

/** How much one payload may hold, whichever way it goes. */
export interface ItemLimits {
  /**
   * How many values one payload may hold: every number, text, array and so on counts one, and so
   * does every key of an object. Bounds the memory and the time that a small payload can cost: an
   * empty object is one byte of CBOR, but 64 of memory.
   *
   * Values, 1 or more, or `Infinity`. With the default a payload becomes 215 MB at most.
   *
   * @defaultValue 1_000_000
   */
  readonly maxItems?: number | undefined;
}

const defaultMaxItems = 1_000_000;

/** @throws MsgError `MSG_INVALID_OPTION` */
export function resolveMaxItems(codec: string, value: number | undefined): number {
  if (value === undefined) return defaultMaxItems;
  if (value === Infinity) return value;
  checkWhole(`${codec} maxItems`, value, 1, Number.MAX_SAFE_INTEGER);
  return value;
}

/** @throws MsgError `MSG_INVALID_OPTION` */
export function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const shown = typeof value === "number" ? String(value) : typeof value;
  const text = `${name} is ${shown}, must be a whole number, ${min} to ${max}`;
  throw new MsgError("MSG_INVALID_OPTION", text);
}
