import { decodeText, emptyBytes } from "@msg-ts/core/building";
import type {
  FrameBuffer,
  HandshakeContext,
  HandshakeLink,
  Protocol,
  ProtocolOptions,
  SinkByType,
  SocketType,
  Welcome,
  Wire,
  WireContext,
} from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { isSocketType, shakeHands } from "./handshake.ts";
import { openPub } from "./patterns/pub.ts";
import { openPull, openPush } from "./patterns/push-pull.ts";
import { openRep } from "./patterns/rep.ts";
import { openReq } from "./patterns/req.ts";
import { openSub } from "./patterns/sub.ts";
import type { WireParts } from "./patterns/wire-parts.ts";
import type { Session } from "./session.ts";
import { FrameWriter } from "./wire/frame-writer.ts";
import { signatureByte } from "./wire/greeting.ts";
import type { ResolvedZmtpOptions, ZmtpOptions } from "./zmtp-options.ts";
import { resolveZmtpOptions } from "./zmtp-options.ts";

type Openers = {
  readonly [Type in SocketType]: (parts: WireParts, sink: SinkByType[Type]) => Wire<Type>;
};

const openers: Openers = {
  REQ: openReq,
  REP: openRep,
  PUB: openPub,
  SUB: openSub,
  PUSH: openPush,
  PULL: openPull,
};

/**
 * ZeroMQ's own wire, ZMTP 3.1 (RFC 37), for the six sockets: docs/zmtp.md says what they promise
 * over it.
 *
 * @example
 * ```ts
 * const rep = new RepSocket(new Tcp(), { protocol: zmtp() });
 * await rep.bind("127.0.0.1:5555");
 * rep.serve((request) => `you said ${request.text()}`);
 * ```
 *
 * @throws MsgError `MSG_INVALID_OPTION`
 */
export function zmtp(options: ZmtpOptions = {}): Protocol {
  return new Zmtp(resolveZmtpOptions(options), false);
}

/** The same for sockets of this package, which ask each connection for its {@link OpenZmtp.session}. */
export function zmtpOfSockets(options: ZmtpOptions): Protocol {
  return new Zmtp(resolveZmtpOptions(options), true);
}

/** The protocol before the peer is known. */
class Zmtp implements Protocol {
  readonly name: string = "zmtp";
  readonly topics: "prefixes" = "prefixes" as const;
  readonly #options: ResolvedZmtpOptions;
  /** One for all connections that nothing tells apart, by the minor version: their batches are the same. */
  readonly #plain: readonly Protocol[];
  readonly #keepsSessions: boolean;

  constructor(options: ResolvedZmtpOptions, keepsSessions: boolean) {
    this.#options = options;
    this.#keepsSessions = keepsSessions;
    this.#plain = ([0, 1] as const).map((minor) => new OpenZmtp(options, { ...nobody, minor }));
  }

  recognises(firstByte: number): boolean {
    return firstByte === signatureByte;
  }

  checkOptions(socketType: string, options: ProtocolOptions): void {
    checkZmtpOptions(socketType, options, this.#options);
  }

  handshake(context: HandshakeContext): (link: HandshakeLink) => Promise<Welcome> {
    return async (link) => {
      const { claims, ...session } = await shakeHands(this.#options, context, link);
      const { minor, cipher, identity } = session;
      const isShared = cipher === undefined && !this.#keepsSessions;
      const shared = isShared ? this.#plain[minor] : undefined;
      const protocol = shared ?? new OpenZmtp(this.#options, session);
      return { claims, name: decodeText(identity), protocol };
    };
  }

  open(): never {
    throw new MsgError("MSG_INVALID_STATE", "no handshake was made on this connection");
  }
}

/** Who is not told from others. */
const nobody: Session = {
  minor: 1,
  peerType: undefined,
  identity: emptyBytes,
  metadata: new Map(),
  cipher: undefined,
};

/** The protocol of a connection whose handshake is done. */
export class OpenZmtp implements Protocol {
  readonly name: string = "zmtp";
  readonly topics: "prefixes" = "prefixes" as const;
  readonly session: Session;
  readonly #options: ResolvedZmtpOptions;

  constructor(options: ResolvedZmtpOptions, session: Session) {
    this.#options = options;
    this.session = session;
  }

  recognises(firstByte: number): boolean {
    return firstByte === signatureByte;
  }

  handshake(): undefined {}

  open<Type extends SocketType>(
    type: Type,
    out: FrameBuffer,
    sink: SinkByType[Type],
    context: WireContext,
  ): Wire<Type> {
    return openers[type](this.parts(out, context), sink);
  }

  /** What a wire on this connection is made of. */
  parts(out: FrameBuffer, context: WireContext): WireParts {
    const writer = new FrameWriter(out, this.session.cipher);
    return { options: this.#options, session: this.session, context, writer };
  }
}

/** The sockets that a ROUTER may be glad to know of. */
const probers: ReadonlySet<string> = new Set(["REQ", "DEALER", "ROUTER"]);

/**
 * Refuses what ZMTP has no place for, instead of leaving it out in silence.
 *
 * @throws MsgError `MSG_INVALID_OPTION`
 */
function checkZmtpOptions(
  socketType: string,
  { authToken, authenticator, compressor }: ProtocolOptions,
  { security, probeRouter }: ResolvedZmtpOptions,
): void {
  if (probeRouter && !probers.has(socketType)) {
    throw refused(`probeRouter is given: only ${[...probers].join(", ")} may be told so`);
  }
  if (!isSocketType(socketType)) throw refused(`ZMTP has no ${socketType}`);
  if (compressor !== undefined) {
    throw refused("compressor is given: ZMTP has no compression, and its peers could not undo it");
  }
  if (authToken !== undefined) {
    throw refused("authToken is given: ZMTP has no tokens, use security: plain() or curve()");
  }
  if (authenticator !== undefined && !security.provesPeer) {
    const text = `authenticator is given, and ${security.name} of this side proves nothing about peers`;
    throw refused(`${text}: use security: plainServer() or curveServer()`);
  }
  if (authenticator !== undefined && security.hasAuthenticator) {
    throw refused("authenticator is given, and authenticate of security too: give one of them");
  }
  if (authenticator === undefined && security.name === "PLAIN" && security.isServer) {
    if (!security.hasAuthenticator)
      throw refused("plainServer() needs authenticate, or the socket an authenticator");
  }
}

function refused(text: string): MsgError {
  return new MsgError("MSG_INVALID_OPTION", `protocol is zmtp: ${text}`);
}
