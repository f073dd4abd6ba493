import { MsgError } from "@msg-ts/core";

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const lastSpace = 0x20;

/**
 * Refuses text that holds more values and keys than `maxItems`.
 *
 * Each of them takes a byte at least, so that only long text is looked at.
 *
 * @throws MsgError `code`
 */
export function checkJsonItems(
  text: Uint8Array,
  maxItems: number,
  code: "MSG_ENCODE_FAILED" | "MSG_DECODE_FAILED",
): void {
  if (text.length <= maxItems || countItems(text, maxItems) <= maxItems) return;
  const what = code === "MSG_ENCODE_FAILED" ? "value for json" : "json payload";
  throw new MsgError(code, `${what} holds more values than maxItems, which is ${maxItems}`);
}

/** Counts until there are more than `maxItems`. What is no JSON has any count. */
function countItems(text: Uint8Array, maxItems: number): number {
  let items = 1;
  let isBehindOpening = false;
  for (let position = 0; position < text.length && items <= maxItems; position++) {
    const byte = text[position] ?? 0;
    if (byte <= lastSpace) continue;
    if (isBehindOpening && byte !== closeBracket && byte !== closeBrace) items += 1;
    isBehindOpening = byte === openBracket || byte === openBrace;
    if (byte === comma || byte === colon) items += 1;
    else if (byte === quote) position = endOfString(text, position);
  }
  return items;
}

/** Where the string ends that begins at `start`; the end of the text when it does not. */
function endOfString(text: Uint8Array, start: number): number {
  let position = start + 1;
  while (position < text.length && text[position] !== quote) {
    position += text[position] === backslash ? 2 : 1;
  }
  return position;
}
