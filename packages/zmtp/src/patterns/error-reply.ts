import { decodeText, encodeText } from "@msg-ts/core/building";

/**
 * How a REP says that it has no answer: a reply of three parts, this, a code and a text. ZMTP has
 * nothing for it, and a REQ that hears nothing waits for ever.
 */
const errorPart = "MSG-ERROR";

const errorPartBytes = encodeText(errorPart);

/** The most bytes of a text. */
const maxTextBytes = 4096;

/** The parts of a reply that is an error. */
export function errorParts(code: string, message: string): readonly Uint8Array[] {
  const text = encodeText(message);
  const cut = text.length > maxTextBytes ? text.subarray(0, maxTextBytes) : text;
  return [errorPartBytes, encodeText(code), cut];
}

/** What a reply says when it is an error of {@link errorParts}. */
export function readError(
  parts: readonly Uint8Array[],
): { readonly code: string; readonly message: string } | undefined {
  const [first, code, text] = parts;
  if (parts.length !== 3 || first === undefined || code === undefined || text === undefined) {
    return undefined;
  }
  if (first.length !== errorPart.length || code.length > 64 || text.length > maxTextBytes) {
    return undefined;
  }
  if (decodeText(first) !== errorPart) return undefined;
  return { code: decodeText(code), message: decodeText(text) };
}
