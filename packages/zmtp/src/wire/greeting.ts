import { allocate, decodeText, encodeText } from "@msg-ts/core/building";
import type { HandshakeLink } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";

/** Bytes of a greeting (RFC 37, "greeting"). */
const greetingBytes = 64;

/** Bytes of its signature, which is all that libzmq sends before it has read as many. */
const signatureBytes = 10;

/** The first byte of a peer that speaks ZMTP 2.0 or later. */
export const signatureByte = 0xff;

const majorVersion = 3;
const minorVersion = 1;
const mechanismBytes = 20;

/** What a peer says of itself before anything else. */
export interface Greeting {
  /** 0: subscriptions are messages; 1: they are commands. A later version speaks 3.1 to us. */
  readonly minor: 0 | 1;
  readonly mechanism: string;
}

/**
 * Greeting, 64 bytes (RFC 37):
 *
 *   offset  size  field
 *   0       1     0xff
 *   1       8     padding
 *   9       1     0x7f
 *   10      1     major     3
 *   11      1     minor     1
 *   12      20    mechanism, ASCII, filled up with zeros
 *   32      1     as-server
 *   33      31    zeros
 */
export function encodeGreeting(mechanism: string, isServer: boolean): Uint8Array {
  const bytes = allocate(greetingBytes).fill(0);
  bytes[0] = signatureByte;
  bytes[9] = 0x7f;
  bytes[10] = majorVersion;
  bytes[11] = minorVersion;
  bytes.set(encodeText(mechanism), 12);
  bytes[32] = isServer ? 1 : 0;
  return bytes;
}

/**
 * Reads a greeting piece by piece: an old peer sends no more than its part of it, and is to be told
 * from one that is slow.
 *
 * The as-server byte is not looked at: libzmq sends 0, whatever it is.
 *
 * Rejects with `MSG_PROTOCOL` for anything but ZMTP 3.
 */
export async function readGreeting(link: HandshakeLink): Promise<Greeting> {
  const [first = 0] = await link.read(1, endedUnheard);
  if (first !== signatureByte) {
    const text = `peer's first byte is 0x${hex(first)}, ZMTP begins with 0xff`;
    throw new MsgError("MSG_PROTOCOL", `${text}: it speaks ZMTP 1.0 or another protocol`);
  }
  const last = (await link.read(signatureBytes - 1, endedUnheard)).at(-1) ?? 0;
  // RFC 37: the last bit of the signature tells a versioned peer.
  if ((last & 1) === 0) throw tooOld("1.0");
  const [major = 0] = await restOf(link, 1);
  if (major < majorVersion) throw tooOld(major === 0 ? "1.0" : "2.0");
  const rest = await restOf(link, greetingBytes - signatureBytes - 1);
  const minor = major === majorVersion && rest[0] === 0 ? 0 : 1;
  return { minor, mechanism: readMechanism(rest.subarray(1, 1 + mechanismBytes)) };
}

/** A reset may overtake the signature of a libzmq that disliked our mechanism: then this is all there is. */
function endedUnheard(cause: MsgError): MsgError {
  const text = "peer ended the connection before it greeted: its security mechanism may be another";
  return new MsgError("MSG_PEER_LOST", text, { cause });
}

/**
 * libzmq ends a connection without a word once it read that our mechanism is not its own, before it
 * tells what that is.
 */
function restOf(link: HandshakeLink, length: number): Promise<Uint8Array> {
  return link.read(length, (cause) => {
    const text = "peer ended the connection at our greeting: its security mechanism may be another";
    return new MsgError("MSG_PROTOCOL", text, { cause });
  });
}

function readMechanism(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const name = decodeText(end < 0 ? bytes : bytes.subarray(0, end));
  if (/^[A-Z0-9_.+-]+$/.test(name)) return name;
  throw new MsgError("MSG_PROTOCOL", "peer's greeting names no mechanism");
}

function tooOld(version: string): MsgError {
  const text = `peer speaks ZMTP ${version}, 3.0 and later are spoken here`;
  return new MsgError("MSG_PROTOCOL", `${text}: that is libzmq 4.0 or later`);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
