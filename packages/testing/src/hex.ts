/**
 * Bytes from literal hex; white space separates fields and means nothing.
 *
 * @example
 * ```ts
 * //     kind flags id       length   payload
 * bytes("02   00    00000001 00000002 6869");
 * ```
 */
export function bytes(literal: string): Uint8Array {
  const digits = literal.replaceAll(/\s/g, "");
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits)) {
    throw new Error(`not hex: ${literal}`);
  }
  const result = new Uint8Array(digits.length / 2);
  for (let i = 0; i < result.length; i++) {
    result[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  }
  return result;
}

/** Lower-case hex without spaces. */
export function hex(value: Uint8Array): string {
  let digits = "";
  for (const byte of value) digits += byte.toString(16).padStart(2, "0");
  return digits;
}

/** All parts, one behind the other, in new memory. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
