import { MsgError } from "@msg-ts/core";

/** What every compressor here may be told. */
export interface AsyncOptions {
  /**
   * From how many plain bytes on a payload is compressed, or decompressed, off the main thread.
   * Lower keeps the event loop free; higher saves the detour of a small payload.
   *
   * Bytes, 0 or more, or `Infinity` for never.
   *
   * @defaultValue as measured for each algorithm and direction (docs/compression.md)
   */
  readonly minAsyncBytes?: number | undefined;
}

/** @throws MsgError `MSG_INVALID_OPTION` */
export function checkWhole(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const shown = typeof value === "number" ? String(value) : typeof value;
  const text = `${name} is ${shown}, must be a whole number, ${min} to ${max}`;
  throw new MsgError("MSG_INVALID_OPTION", text);
}

/** @throws MsgError `MSG_INVALID_OPTION` */
export function checkMinAsyncBytes(algorithm: string, value: number | undefined): void {
  if (value === undefined || value === Infinity) return;
  checkWhole(`${algorithm} minAsyncBytes`, value, 0, Number.MAX_SAFE_INTEGER);
}
