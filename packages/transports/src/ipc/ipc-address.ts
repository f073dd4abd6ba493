import process from "node:process";
import { invalidAddress, withoutScheme } from "../addresses.ts";

/** What a socket address of the kernel holds, without the NUL at its end. */
export function maxPathBytes(platform: NodeJS.Platform = process.platform): number {
  return platform === "linux" ? 107 : 103;
}

/** Where a local socket is. */
export type IpcAddress =
  /** A file that stands for the socket. */
  | { readonly kind: "file"; readonly path: string }
  /** A name without a file: of Linux' abstract namespace, or a named pipe of Windows. */
  | { readonly kind: "name"; readonly path: string };

/**
 * Reads a path, `@name` (Linux) or `\\.\pipe\name` (Windows), with or without `ipc://`. Nothing in
 * it is decoded: a `%20` is three characters.
 *
 * @param platform - for tests.
 * @throws MsgError `MSG_INVALID_ADDRESS`, naming the address and what is wrong with it.
 */
export function parseIpcAddress(
  address: string,
  platform: NodeJS.Platform = process.platform,
): IpcAddress {
  const rest = withoutScheme(address, "ipc");
  if (rest.includes("\0")) throw invalidAddress(address, "it has a NUL in it");
  if (platform === "win32") return parsePipe(address, rest);
  // Node.js cuts a longer path without a word, and would listen somewhere else.
  const bytes = Buffer.byteLength(rest);
  const maxBytes = maxPathBytes(platform);
  if (bytes > maxBytes) {
    throw invalidAddress(address, `it has ${bytes} bytes, must be at most ${maxBytes}`);
  }
  if (rest.startsWith("@")) return parseAbstract(address, rest, platform);
  if (rest.endsWith("/")) throw invalidAddress(address, "it is a folder, must be a file");
  return { kind: "file", path: rest };
}

function parsePipe(address: string, rest: string): IpcAddress {
  if (/^\\\\[.?]\\pipe\\./i.test(rest)) return { kind: "name", path: rest };
  throw invalidAddress(address, "a local socket on Windows is a pipe: \\\\.\\pipe\\name");
}

function parseAbstract(address: string, rest: string, platform: NodeJS.Platform): IpcAddress {
  if (platform !== "linux") throw invalidAddress(address, "only Linux has abstract names");
  if (rest === "@") throw invalidAddress(address, "its name is empty");
  return { kind: "name", path: `\0${rest.slice(1)}` };
}
