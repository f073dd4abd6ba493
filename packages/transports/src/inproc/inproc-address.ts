import { invalidAddress, withoutScheme } from "../addresses.ts";

const maxNameLength = 255;

/**
 * Reads a name, with or without `inproc://`.
 *
 * @throws MsgError `MSG_INVALID_ADDRESS`, naming the address and what is wrong with it.
 */
export function parseInprocAddress(address: string): string {
  const name = withoutScheme(address, "inproc");
  if (/[\s\p{Cc}]/u.test(name)) throw invalidAddress(address, "it has a space in it");
  if (name.length <= maxNameLength) return name;
  const text = `it has ${name.length} characters, must be at most ${maxNameLength}`;
  throw invalidAddress(address, text);
}
