import type { Buffer } from "node:buffer";
import { nodeCrypto } from "../node-tls.ts";

const proofBytes = 16;

/** Shorter than any packet it answers, so that two ends that know nothing of each other fall silent. */
const noticeBytes = 22;

/** RFC 9000, section 17.3.1: a short header begins with the bits 01. */
const shortHeader = 0x40;

/** No packet of QUIC is shorter that has a connection id of ours and anything encrypted. */
export const minAnsweredBytes: number = noticeBytes + 1;

/**
 * What a listener answers to a packet of a connection that it does not know, such as after its
 * process was started anew. It looks like a stateless reset (RFC 9000, section 10.3), and has the
 * hash of the connection id for a token.
 *
 * A real token would have to be kept over a restart, and the engine has the same one for all peers,
 * any of which could then end the connections of all others. This one only proves that its sender
 * saw the packet, so it ends nothing: the dialer asks for a sign of life, and goes by that.
 */
export function goneNotice(connectionId: Uint8Array): Buffer {
  const notice = nodeCrypto().randomBytes(noticeBytes);
  notice.writeUInt8(shortHeader | ((notice[0] ?? 0) & 0x3f), 0);
  proofOf(connectionId).copy(notice, noticeBytes - proofBytes);
  return notice;
}

/** Whether a datagram is the notice that the peer does not know this connection. */
export function isGoneNotice(
  datagram: Uint8Array,
  connection: { readonly destinationId: Uint8Array },
): boolean {
  if (datagram.length !== noticeBytes) return false;
  return proofOf(connection.destinationId).equals(datagram.subarray(noticeBytes - proofBytes));
}

function proofOf(connectionId: Uint8Array): Buffer {
  const hash = nodeCrypto().createHash("sha256").update("msg-ts gone").update(connectionId);
  return hash.digest().subarray(0, proofBytes);
}
