import { MsgError } from "@msg-ts/core";

/** RFC 32: four bytes are five of these. */
const digits =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** Bytes as Z85 text; their number must be a multiple of four. */
export function encodeZ85(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 4) {
    let value = view.getUint32(offset);
    let group = "";
    for (let i = 0; i < 5; i++) {
      group = (digits[value % 85] ?? "") + group;
      value = Math.floor(value / 85);
    }
    text += group;
  }
  return text;
}

/** @throws MsgError `MSG_INVALID_OPTION` when it is not Z85; what it says it does not repeat. */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw malformed();
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i += 5) {
    let value = 0;
    for (const character of text.slice(i, i + 5)) {
      const digit = digits.indexOf(character);
      if (digit < 0) throw malformed();
      value = value * 85 + digit;
    }
    if (value > 0xffff_ffff) throw malformed();
    view.setUint32((i / 5) * 4, value);
  }
  return bytes;
}

function malformed(): MsgError {
  return new MsgError("MSG_INVALID_OPTION", "a key is not Z85 text (RFC 32)");
}
