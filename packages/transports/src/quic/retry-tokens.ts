import { Buffer } from "node:buffer";
import { nodeCrypto } from "../node-tls.ts";
import type { HostPort } from "./engine.ts";

const macBytes = 32;
const timeBytes = 6;

/** How long a peer has to come again. */
const validMs = 15_000;

/** What a token says: the connection id that the peer's first packet was sent to, and ours. */
export interface RetryToken {
  readonly originalId: Buffer;
  readonly sourceId: Buffer;
}

/**
 * Tokens by which a peer proves that it has the address it writes from (RFC 9000, section 8.1.2).
 * Nothing is kept for them: what they say is sealed with a key of this process.
 */
export class RetryTokens {
  readonly #key: Uint8Array = nodeCrypto().randomBytes(32);

  seal(from: HostPort, originalId: Uint8Array, sourceId: Uint8Array): Uint8Array {
    const time = Buffer.alloc(timeBytes);
    time.writeUIntBE(Date.now(), 0, timeBytes);
    const body = Buffer.concat([time, Buffer.of(originalId.length), originalId, sourceId]);
    return Buffer.concat([this.#macOf(from, body), body]);
  }

  /** What a token says; `undefined` when it is not ours, for another address, or too old. */
  open(from: HostPort, token: Uint8Array): RetryToken | undefined {
    const bytes = Buffer.from(token.buffer, token.byteOffset, token.length);
    const body = bytes.subarray(macBytes);
    if (body.length <= timeBytes + 1) return undefined;
    const mac = this.#macOf(from, body);
    if (!nodeCrypto().timingSafeEqual(mac, bytes.subarray(0, macBytes))) return undefined;
    if (Date.now() - body.readUIntBE(0, timeBytes) > validMs) return undefined;
    const idAt = timeBytes + 1;
    const idEnd = idAt + body.readUInt8(timeBytes);
    return { originalId: body.subarray(idAt, idEnd), sourceId: body.subarray(idEnd) };
  }

  #macOf(from: HostPort, body: Uint8Array): Buffer {
    const hmac = nodeCrypto().createHmac("sha256", this.#key);
    return hmac.update(`${from.host} ${from.port}`).update(body).digest();
  }
}
