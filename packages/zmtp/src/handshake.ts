import { askHook, decodeText, emptyBytes, encodeText } from "@msg-ts/core/building";
import type { Claims, HandshakeContext, HandshakeLink } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { CommandLink } from "./mechanisms/command-link.ts";
import type { Session } from "./session.ts";
import { encodeError } from "./wire/command.ts";
import { encodeGreeting, readGreeting } from "./wire/greeting.ts";
import type { Properties } from "./wire/metadata.ts";
import { decodeMetadata, encodeMetadata, propertyName } from "./wire/metadata.ts";
import type { ResolvedZmtpOptions } from "./zmtp-options.ts";

/** What each socket type may talk to (RFC 28 to 31). */
const partners: Readonly<Record<string, readonly string[]>> = {
  REQ: ["REP", "ROUTER"],
  REP: ["REQ", "DEALER"],
  DEALER: ["REP", "DEALER", "ROUTER"],
  ROUTER: ["REQ", "DEALER", "ROUTER"],
  PUB: ["SUB", "XSUB"],
  XPUB: ["SUB", "XSUB"],
  SUB: ["PUB", "XPUB"],
  XSUB: ["PUB", "XPUB"],
  PUSH: ["PULL"],
  PULL: ["PUSH"],
  PAIR: ["PAIR"],
};

const sendsIdentity = new Set(["REQ", "DEALER", "ROUTER"]);

/** Whether ZMTP has this socket type. */
export function isSocketType(type: string): boolean {
  return Object.hasOwn(partners, type);
}

/** The outcome of a handshake. */
export interface Greeted extends Session {
  readonly claims: Claims;
}

/**
 * Greetings, mechanism and metadata (RFC 37). Both sides greet at once; nothing but that is written
 * before the peer greeted, and no message before it is ready: libzmq ends a connection for either.
 *
 * Rejects with `MSG_PROTOCOL`, `MSG_AUTH_REJECTED`, `MSG_AUTH_FAILED`, `MSG_WRONG_SOCKET_TYPE`.
 */
export async function shakeHands(
  options: ResolvedZmtpOptions,
  context: HandshakeContext,
  link: HandshakeLink,
): Promise<Greeted> {
  const { security } = options;
  const hookClaims = context.hook === undefined ? {} : await askHook(context.hook, link);
  link.write(encodeGreeting(security.name, security.isServer));
  const { minor, mechanism } = await readGreeting(link);
  if (mechanism !== security.name) {
    const text = `peer's security mechanism is ${mechanism}, ours is ${security.name}`;
    throw new MsgError("MSG_PROTOCOL", text);
  }
  const commands = new CommandLink(link);
  const ours = encodeMetadata(propertiesOf(options, context.socketType));
  const secured = await security.run(commands, ours, context);
  const metadata = decodeMetadata(secured.metadata);
  const peerType = textOf(metadata.get(propertyName.socketType.toLowerCase()));
  checkPeerType(context.socketType, peerType, commands);
  return {
    minor,
    peerType,
    identity: metadata.get(propertyName.identity.toLowerCase()) ?? emptyBytes,
    metadata,
    cipher: secured.cipher,
    claims: { ...hookClaims, ...secured.claims },
  };
}

function propertiesOf({ identity, metadata }: ResolvedZmtpOptions, socketType: string): Properties {
  const type = [propertyName.socketType, encodeText(socketType)] as const;
  if (!sendsIdentity.has(socketType)) return [type, ...metadata];
  return [type, [propertyName.identity, identity], ...metadata];
}

/** A peer that does not tell its type is let in, as libzmq does. */
function checkPeerType(ours: string, peers: string | undefined, link: CommandLink): void {
  const allowed = partners[ours] ?? [];
  if (peers === undefined || allowed.includes(peers)) return;
  link.writeBody(encodeError("Invalid socket type"));
  const shown = peers.replaceAll(/[^A-Z0-9-]/gi, "?").slice(0, 20);
  const text = `peer is ${shown}, a ${ours} talks to ${allowed.join(" or ")}`;
  throw new MsgError("MSG_WRONG_SOCKET_TYPE", text);
}

function textOf(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : decodeText(value);
}
