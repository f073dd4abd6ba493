import { allocate, copyOf, decodeText, encodeText } from "../../bytes.ts";
import type {
  Authenticator,
  AuthToken,
  Claims,
  HandshakeLink,
} from "../../contracts/authenticator.ts";
import type { Handshake, HandshakeContext, SocketType } from "../../contracts/protocol.ts";
import { MsgError } from "../../errors.ts";
import { askHook } from "../told-apart.ts";
import {
  frameKind,
  helloRefusal,
  helloVersion,
  illegalKind,
  maxNameBytes,
  maxReceivedTokenBytes,
  maxSentTokenBytes,
} from "./header.ts";

/** Socket types by their number in HELLO. */
const typeNumbers: Readonly<Record<SocketType, number>> = {
  REQ: 1,
  REP: 2,
  PUB: 3,
  SUB: 4,
  PUSH: 5,
  PULL: 6,
};

/** Which type each one pairs with. */
export const partnerOf: Readonly<Record<SocketType, SocketType>> = {
  REQ: "REP",
  REP: "REQ",
  PUB: "SUB",
  SUB: "PUB",
  PUSH: "PULL",
  PULL: "PUSH",
};

/** A handshake of one of the types that this wire knows. */
interface MsgContext extends HandshakeContext {
  readonly socketType: SocketType;
}

/** @throws MsgError `MSG_INVALID_OPTION` unless this wire knows the type of a socket. */
export function checkSocketType(socketType: string): asserts socketType is SocketType {
  if (Object.hasOwn(typeNumbers, socketType)) return;
  throw new MsgError("MSG_INVALID_OPTION", `protocol is msg, which has no ${socketType}`);
}

/** A dialing REQ or SUB may be talking to msg-rs, which has no HELLO. */
function exchangesHello(context: MsgContext): boolean {
  const dialer = context.isDialer ? context.socketType : partnerOf[context.socketType];
  return dialer !== "REQ" && dialer !== "SUB";
}

/** The exchange before the first frame: hook or AUTH, then HELLO where the pair has one. */
export function msgHandshake(given: HandshakeContext): Handshake | undefined {
  checkSocketType(given.socketType);
  const context = given as MsgContext;
  const hasAuth = context.isDialer ? context.authToken !== undefined : context.authenticator;
  if (!hasAuth && context.hook === undefined && !exchangesHello(context)) {
    // An acceptor still looks at the first byte, to refuse a HELLO of the wrong type by name: that
    // is the decoder's work, because a REQ or SUB may stay silent for ever.
    return undefined;
  }
  return async (link) => {
    const claims = await authenticate(context, link);
    const name = exchangesHello(context) ? await exchangeHello(context, link) : "";
    return { claims, name };
  };
}

async function authenticate(context: HandshakeContext, link: HandshakeLink): Promise<Claims> {
  const { hook, authToken, authenticator } = context;
  if (hook !== undefined) {
    return askHook(hook, link);
  }
  if (context.isDialer) {
    if (authToken !== undefined) await presentToken(authToken, link);
    return {};
  }
  return authenticator === undefined ? {} : checkToken(authenticator, link);
}

/** Writes AUTH in one write: msg-rs' decoder dies on a fragmented one. */
async function presentToken(authToken: AuthToken, link: HandshakeLink): Promise<void> {
  const given = typeof authToken === "function" ? await authToken() : authToken;
  const token = tokenBytes(given);
  const frame = allocate(5 + token.length);
  frame[0] = frameKind.auth;
  new DataView(frame.buffer, frame.byteOffset).setUint32(1, token.length);
  frame.set(token, 5);
  link.write(frame);
  const answer = await link.read(2).catch((error: unknown) => {
    // An end of the stream instead of an answer counts as a refusal.
    if (MsgError.is(error, "MSG_PEER_LOST")) return new Uint8Array([frameKind.auth, 0]);
    throw error;
  });
  if (answer[0] !== frameKind.auth) throw illegalKind(answer[0] ?? 0, frameKind.auth);
  if (answer[1] === 0) throw new MsgError("MSG_AUTH_REJECTED", "peer rejected the token");
}

/**
 * The bytes of a token to send.
 *
 * @throws MsgError `MSG_INVALID_OPTION` over 1 KiB, or when it is neither text nor bytes.
 */
export function tokenBytes(token: string | Uint8Array): Uint8Array {
  const bytes = typeof token === "string" ? encodeText(token) : token;
  if (!(bytes instanceof Uint8Array)) {
    throw new MsgError("MSG_INVALID_OPTION", "authToken must be a string or a Uint8Array");
  }
  if (bytes.length > maxSentTokenBytes) {
    const text = `authToken has ${bytes.length} bytes, must be at most ${maxSentTokenBytes}`;
    throw new MsgError("MSG_INVALID_OPTION", text);
  }
  return bytes;
}

async function checkToken(authenticator: Authenticator, link: HandshakeLink): Promise<Claims> {
  const header = await link.read(1);
  if (header[0] !== frameKind.auth) throw illegalKind(header[0] ?? 0, frameKind.auth);
  const lengthBytes = await link.read(4);
  const length = new DataView(lengthBytes.buffer, lengthBytes.byteOffset).getUint32(0);
  if (length > maxReceivedTokenBytes) {
    const text = `peer announced a token of ${length} bytes, the limit is ${maxReceivedTokenBytes}`;
    throw new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
  }
  const token = copyOf(await link.read(length));
  const verdict = await askAuthenticator(authenticator, token, link);
  if (verdict === false) {
    link.write(new Uint8Array([frameKind.auth, 0]));
    throw new MsgError("MSG_AUTH_REJECTED", "authenticator rejected the peer's token");
  }
  link.write(new Uint8Array([frameKind.auth, 1]));
  return verdict === true ? {} : verdict;
}

async function askAuthenticator(
  authenticator: Authenticator,
  token: Uint8Array,
  link: HandshakeLink,
): Promise<true | false | Claims> {
  try {
    const verdict: unknown = await authenticator({ token, peer: link.peer, signal: link.signal });
    // Anything but a clear yes is a no: an authenticator that forgets to return must not let in.
    if (verdict === true) return true;
    return typeof verdict === "object" && verdict !== null ? (verdict as Claims) : false;
  } catch (error) {
    link.write(new Uint8Array([frameKind.auth, 0]));
    throw new MsgError("MSG_AUTH_FAILED", "authenticator failed", { cause: error });
  }
}

/** HELLO both ways. Returns the peer's name. */
async function exchangeHello(context: MsgContext, link: HandshakeLink): Promise<string> {
  if (context.isDialer) {
    link.write(encodeHello(context));
    return readHello(context, link);
  }
  const name = await readHello(context, link);
  link.write(encodeHello(context));
  return name;
}

function encodeHello(context: MsgContext): Uint8Array {
  const name = encodeText(context.name);
  const frame = allocate(5 + name.length);
  frame[0] = frameKind.hello;
  frame[1] = helloVersion;
  frame[2] = typeNumbers[context.socketType];
  new DataView(frame.buffer, frame.byteOffset).setUint16(3, name.length);
  frame.set(name, 5);
  return frame;
}

async function readHello(context: MsgContext, link: HandshakeLink): Promise<string> {
  const [kind = 0, version = 0] = await link.read(2);
  if (kind !== frameKind.hello) throw illegalKind(kind, frameKind.hello);
  if (version === 0) throw refusedByPeer((await link.read(1))[0] ?? 0, context);
  if (version !== helloVersion) {
    refuse(context, link, helloRefusal.version);
    throw new MsgError("MSG_PROTOCOL", `peer speaks version ${version}, this end ${helloVersion}`);
  }
  const rest = await link.read(3);
  const expected = partnerOf[context.socketType];
  if (rest[0] !== typeNumbers[expected]) {
    refuse(context, link, helloRefusal.socketType);
    throw wrongType(context, typeName(rest[0] ?? 0));
  }
  const nameBytes = ((rest[1] ?? 0) << 8) | (rest[2] ?? 0);
  if (nameBytes > maxNameBytes) {
    refuse(context, link, helloRefusal.malformed);
    const text = `peer announced a name of ${nameBytes} bytes, the limit is ${maxNameBytes}`;
    throw new MsgError("MSG_PROTOCOL", text);
  }
  return decodeText(await link.read(nameBytes));
}

/** Only an acceptor refuses; a dialer that dislikes the answer just ends. */
function refuse(context: MsgContext, link: HandshakeLink, reason: number): void {
  if (!context.isDialer) link.write(new Uint8Array([frameKind.hello, 0, reason]));
}

function refusedByPeer(reason: number, context: MsgContext): MsgError {
  switch (reason) {
    case helloRefusal.version:
      return new MsgError("MSG_PROTOCOL", `peer refused version ${helloVersion} of the protocol`);
    case helloRefusal.socketType:
      return new MsgError(
        "MSG_WRONG_SOCKET_TYPE",
        `peer is not a ${partnerOf[context.socketType]}: it refused this ${context.socketType}`,
      );
    default:
      return new MsgError("MSG_PROTOCOL", `peer refused our HELLO, reason ${reason}`);
  }
}

function wrongType(context: MsgContext, peerType: string): MsgError {
  const { socketType } = context;
  const text = `peer is ${peerType}, a ${socketType} pairs with ${partnerOf[socketType]}`;
  return new MsgError("MSG_WRONG_SOCKET_TYPE", text);
}

function typeName(number: number): string {
  const found = Object.entries(typeNumbers).find(([, value]) => value === number);
  return found === undefined ? `of unknown type ${number}` : found[0];
}
