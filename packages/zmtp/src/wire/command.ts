import { allocate, decodeText, encodeText, viewOf } from "@msg-ts/core/building";
import { MsgError } from "@msg-ts/core";

/** Names of commands (RFC 37, 24, 26). */
export const commandName = {
  cancel: "CANCEL",
  error: "ERROR",
  hello: "HELLO",
  initiate: "INITIATE",
  message: "MESSAGE",
  ping: "PING",
  pong: "PONG",
  ready: "READY",
  subscribe: "SUBSCRIBE",
  welcome: "WELCOME",
} as const;

/**
 * How libzmq since 4.3.0 writes ERROR when it is a PLAIN server, and what its client takes for one:
 * `\x05ERROR` in C is the character 0x5e and `RROR`.
 */
const misspeltError = "^RROR";

/** A command as it came. */
export interface Command {
  readonly name: string;
  /** A view on what was read. */
  readonly data: Uint8Array;
}

/** Body of a command: length of the name, name, data. */
export function encodeCommand(name: string, data: Uint8Array): Uint8Array {
  const body = allocate(1 + name.length + data.length);
  body[0] = name.length;
  for (let i = 0; i < name.length; i++) body[1 + i] = name.charCodeAt(i);
  body.set(data, 1 + name.length);
  return body;
}

/** @throws MsgError `MSG_PROTOCOL` when the name does not fit into the body. */
export function decodeCommand(body: Uint8Array): Command {
  const [length = 0] = body;
  if (isMisspeltError(body)) {
    return { name: commandName.error, data: viewOf(body, 5, body.length - 5) };
  }
  if (length === 0 || length + 1 > body.length) {
    const text = `peer sent a command of ${body.length} bytes with a name of ${length}`;
    throw new MsgError("MSG_PROTOCOL", text);
  }
  const name = decodeText(viewOf(body, 1, length));
  return { name, data: viewOf(body, 1 + length, body.length - 1 - length) };
}

function isMisspeltError(body: Uint8Array): boolean {
  if (body.length < misspeltError.length) return false;
  for (let i = 0; i < misspeltError.length; i++) {
    if (body[i] !== misspeltError.charCodeAt(i)) return false;
  }
  return true;
}

/** Body of an ERROR command; its reason is cut to 255 bytes. */
export function encodeError(reason: string): Uint8Array {
  return encodeCommand(commandName.error, encodeReason(reason));
}

/** Body of an ERROR as a libzmq client of PLAIN takes it. */
export function encodeMisspeltError(reason: string): Uint8Array {
  const data = encodeReason(reason);
  const body = allocate(misspeltError.length + data.length);
  body.set(encodeText(misspeltError));
  body.set(data, misspeltError.length);
  return body;
}

function encodeReason(reason: string): Uint8Array {
  const text = encodeText(reason).subarray(0, 255);
  const data = allocate(1 + text.length);
  data[0] = text.length;
  data.set(text, 1);
  return data;
}

/** The reason that an ERROR gives, for people. */
export function reasonOf({ data }: Command): string {
  const [length = 0] = data;
  const reason = decodeText(data.subarray(1, 1 + length));
  // What a peer says is shown as it is only where that cannot do harm.
  return reason.replaceAll(/[^\u0020-\u007e]/g, "?");
}
