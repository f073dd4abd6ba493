import { Buffer } from "node:buffer";
import { nodeCrypto } from "../node-tls.ts";
import type { PacketHeader } from "./engine.ts";

/** RFC 9001, section 5.2: what everybody can derive the keys of first packets with, version 1. */
const initialSalt = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
const version1 = 1;

const tagBytes = 16;
const packetNumberBytes = 1;
const sourceIdBytes = 8;

/** Long header, Initial, a packet number of one byte (RFC 9000, section 17.2.2). */
const initialFirstByte = 0xc0;

/** RFC 9000, section 19.19. */
const connectionCloseFrame = 0x1c;

/** A length is written with two bytes: the two highest bits say so (RFC 9000, section 16). */
const twoByteVarint = 0x4000;

/**
 * A packet that ends a connection in answer to its very first one. Made from that alone: nothing is
 * kept, no handshake begins. Shorter than the packet it answers, so of no use to amplify.
 *
 * Empty for a version of QUIC other than 1.
 */
export function initialClose(header: PacketHeader, code: number, reason: string): Uint8Array {
  if (header.version !== version1) return new Uint8Array(0);
  const { createCipheriv, randomBytes } = nodeCrypto();
  const { key, iv, headerKey } = serverInitialKeys(header.destinationId);
  const payload = closeFrame(code, reason);
  const head = Buffer.concat([
    Buffer.of(initialFirstByte, 0, 0, 0, version1, header.sourceId.length),
    header.sourceId,
    Buffer.of(sourceIdBytes),
    randomBytes(sourceIdBytes),
    Buffer.of(0),
    uint16(twoByteVarint | (packetNumberBytes + payload.length + tagBytes)),
    // The packet number, 0, which leaves the nonce as it is.
    Buffer.of(0),
  ]);
  const cipher = createCipheriv("aes-128-gcm", key, iv);
  cipher.setAAD(head);
  const sealed = Buffer.concat([cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  // RFC 9001, section 5.4.2: the sample begins where a packet number of four bytes would end.
  const sample = sealed.subarray(4 - packetNumberBytes, 4 - packetNumberBytes + tagBytes);
  const mask = createCipheriv("aes-128-ecb", headerKey, null).setAutoPadding(false).update(sample);
  const numberAt = head.length - packetNumberBytes;
  head.writeUInt8(initialFirstByte ^ ((mask[0] ?? 0) & 0x0f), 0);
  head.writeUInt8(mask[1] ?? 0, numberAt);
  return Buffer.concat([head, sealed]);
}

function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 63);
  return Buffer.concat([Buffer.of(connectionCloseFrame, code, 0, text.length), text]);
}

interface InitialKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly headerKey: Buffer;
}

function serverInitialKeys(destinationId: Uint8Array): InitialKeys {
  const initial = nodeCrypto().createHmac("sha256", initialSalt).update(destinationId).digest();
  const secret = expandLabel(initial, "server in", 32);
  return {
    key: expandLabel(secret, "quic key", 16),
    iv: expandLabel(secret, "quic iv", 12),
    headerKey: expandLabel(secret, "quic hp", 16),
  };
}

/** HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1) for at most one block. */
function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([uint16(length), Buffer.of(name.length), name, Buffer.of(0, 1)]);
  return nodeCrypto().createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
