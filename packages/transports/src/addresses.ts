import { MsgError } from "@msg-ts/core";

const scheme = /^([a-z][a-z0-9+.-]*):\/\//i;

/**
 * An address without the scheme of its transport, if it has one.
 *
 * @throws MsgError `MSG_INVALID_ADDRESS` for no text at all, or the scheme of another transport.
 */
export function withoutScheme(address: string, transportName: string): string {
  if (typeof address !== "string") throw invalidAddress(String(address), "it is not a string");
  const [prefix = "", found = transportName] = scheme.exec(address) ?? [];
  if (found.toLowerCase() !== transportName) {
    throw invalidAddress(address, `its scheme is ${found}, must be ${transportName} or absent`);
  }
  const rest = address.slice(prefix.length);
  if (rest === "") throw invalidAddress(address, "it is empty");
  return rest;
}

/** The error for an address that cannot be used; says which and why. */
export function invalidAddress(address: string, why: string): MsgError {
  return new MsgError("MSG_INVALID_ADDRESS", `address ${JSON.stringify(address)}: ${why}`);
}
