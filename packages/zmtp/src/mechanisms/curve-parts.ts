import { allocate, encodeText, viewOf } from "@msg-ts/core/building";
import { MsgError } from "@msg-ts/core";
import type { CurveCrypto } from "../crypto/curve-crypto.ts";
import type { Cipher, Opened } from "../wire/frame-writer.ts";

/** Lengths and offsets of CURVE (RFC 26), counted behind the names of commands. */
export const curve = {
  keyBytes: 32,
  macBytes: 16,
  nonceBytes: 24,
  longNonceBytes: 16,
  shortNonceBytes: 8,
  cookieBytes: 96,
  /** Version (2), zeros (72), C' (32), nonce (8), box of 64 zeros (80). */
  helloBytes: 194,
  helloKeyAt: 74,
  helloNonceAt: 106,
  helloBoxAt: 114,
  helloSignedBytes: 64,
  /** Nonce (16), box of S' and the cookie (144). */
  welcomeBytes: 160,
  /** Cookie (96), nonce (8), box of C (32), vouch nonce (16), vouch (80) and metadata. */
  initiateNonceAt: 96,
  initiateBoxAt: 104,
  vouchNonceAt: 32,
  vouchAt: 48,
  initiateMetadataAt: 128,
  /** Nonce (8), box of metadata. */
  readyBoxAt: 8,
} as const;

/** What stands before the changing part of a nonce. */
export const noncePrefix = {
  hello: "CurveZMQHELLO---",
  welcome: "WELCOME-",
  cookie: "COOKIE--",
  initiate: "CurveZMQINITIATE",
  vouch: "VOUCH---",
  ready: "CurveZMQREADY---",
  messageOfClient: "CurveZMQMESSAGEC",
  messageOfServer: "CurveZMQMESSAGES",
} as const;

/** A nonce of 24 bytes. */
export function nonceOf(prefix: string, rest: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(curve.nonceBytes);
  nonce.set(encodeText(prefix));
  nonce.set(rest, prefix.length);
  return nonce;
}

/** A number as the short part of a nonce. */
export function shortNonce(count: number): Uint8Array {
  const bytes = new Uint8Array(curve.shortNonceBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(count / 2 ** 32));
  view.setUint32(4, count % 2 ** 32);
  return bytes;
}

/** @throws MsgError `MSG_PROTOCOL` for one that no peer comes to by counting. */
export function readShortNonce(bytes: Uint8Array, offset: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const high = view.getUint32(offset);
  if (high < 2 ** 21) return high * 2 ** 32 + view.getUint32(offset + 4);
  throw new MsgError("MSG_PROTOCOL", "peer's nonce is too large to count on from");
}

/** Parts one behind the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Whether two keys are the same, in a time that does not tell where they differ. */
export function isSameKey(some: Uint8Array, other: Uint8Array): boolean {
  let difference = some.length ^ other.length;
  for (let i = 0; i < some.length; i++) difference |= (some[i] ?? 0) ^ (other[i] ?? 0);
  return difference === 0;
}

const messageName = encodeText("\u0007MESSAGE");
const nonceAt = messageName.length;
const boxAt = nonceAt + curve.shortNonceBytes;

/** Flags inside a box are libzmq's own, not those of a frame. */
const boxFlag = { more: 1, command: 2 } as const;

/** The nonces and the key of one side's frames behind the handshake. */
interface CipherKeys {
  readonly crypto: CurveCrypto;
  readonly key: Uint8Array;
  readonly isServer: boolean;
  /** The last numbers that were used, of either side's count. */
  readonly sentCount: number;
  readonly receivedCount: number;
}

/**
 * MESSAGE (RFC 26): nonce (8), box of flags (1) and data. Numbers of nonces only grow, so that
 * nothing is told twice or in another order.
 */
export class CurveCipher implements Cipher {
  readonly #crypto: CurveCrypto;
  readonly #key: Uint8Array;
  readonly #sendNonce: Uint8Array;
  readonly #receiveNonce: Uint8Array;
  #sentCount: number;
  #receivedCount: number;

  constructor({ crypto, key, isServer, sentCount, receivedCount }: CipherKeys) {
    const { messageOfClient, messageOfServer } = noncePrefix;
    const none = new Uint8Array(curve.shortNonceBytes);
    this.#crypto = crypto;
    this.#key = key;
    this.#sendNonce = nonceOf(isServer ? messageOfServer : messageOfClient, none);
    this.#receiveNonce = nonceOf(isServer ? messageOfClient : messageOfServer, none);
    this.#sentCount = sentCount;
    this.#receivedCount = receivedCount;
  }

  seal(isMore: boolean, isCommand: boolean, body: Uint8Array): Uint8Array {
    const count = shortNonce(++this.#sentCount);
    this.#sendNonce.set(count, curve.longNonceBytes);
    const plain = allocate(1 + body.length);
    plain[0] = (isMore ? boxFlag.more : 0) | (isCommand ? boxFlag.command : 0);
    plain.set(body, 1);
    const box = this.#crypto.seal(plain, this.#sendNonce, this.#key);
    const frame = allocate(boxAt + box.length);
    frame.set(messageName);
    frame.set(count, nonceAt);
    frame.set(box, boxAt);
    return frame;
  }

  open(frame: Uint8Array): Opened {
    if (frame.length < boxAt + curve.macBytes + 1 || !isMessage(frame)) {
      throw new MsgError("MSG_PROTOCOL", "peer sent a frame that is not sealed");
    }
    const count = readShortNonce(frame, nonceAt);
    if (count <= this.#receivedCount) {
      const text = `peer's nonce ${count} is not above ${this.#receivedCount}: a frame was repeated`;
      throw new MsgError("MSG_PROTOCOL", text);
    }
    this.#receiveNonce.set(frame.subarray(nonceAt, boxAt), curve.longNonceBytes);
    const plain = this.#crypto.open(frame.subarray(boxAt), this.#receiveNonce, this.#key);
    if (plain === undefined) {
      throw new MsgError("MSG_PROTOCOL", "peer sent a frame that cannot be opened: it was changed");
    }
    this.#receivedCount = count;
    const flags = plain[0] ?? 0;
    const isCommand = (flags & boxFlag.command) !== 0;
    const body = viewOf(plain, 1, plain.length - 1);
    return { isMore: (flags & boxFlag.more) !== 0, isCommand, body };
  }
}

function isMessage(frame: Uint8Array): boolean {
  for (let i = 0; i < messageName.length; i++) if (frame[i] !== messageName[i]) return false;
  return true;
}
