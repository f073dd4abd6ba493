import type { SocketOptions, Transport } from "@msg-ts/core";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import { DealerSocket, PairSocket, RouterSocket, XPubSocket, XSubSocket, zmtp } from "@msg-ts/zmtp";
import type { ZmtpOptions } from "@msg-ts/zmtp";
import { Ipc } from "@msg-ts/transports/ipc";
import { Tcp } from "@msg-ts/transports/tcp";
import type { Stage } from "../stage.ts";
import type { Role, Secured } from "./secured.ts";
import { open } from "./secured.ts";
import type { ZmqProcess, ZmqSocket } from "./zmq-peer.ts";

/** Our sockets, by their types. */
export interface OurSockets {
  readonly REQ: ReqSocket;
  readonly REP: RepSocket;
  readonly PUB: PubSocket;
  readonly SUB: SubSocket;
  readonly PUSH: PushSocket;
  readonly PULL: PullSocket;
  readonly DEALER: DealerSocket;
  readonly ROUTER: RouterSocket;
  readonly PAIR: PairSocket;
  readonly XPUB: XPubSocket;
  readonly XSUB: XSubSocket;
}

/** A type of socket of ours. */
export type OurType = keyof OurSockets;

type Options = SocketOptions & ZmtpOptions;

const makers: {
  readonly [Type in OurType]: (transport: Transport, options: Options) => OurSockets[Type];
} = {
  REQ: (transport, options) => new ReqSocket(transport, withProtocol(options)),
  REP: (transport, options) => new RepSocket(transport, withProtocol(options)),
  PUB: (transport, options) => new PubSocket(transport, withProtocol(options)),
  SUB: (transport, options) => new SubSocket(transport, withProtocol(options)),
  PUSH: (transport, options) => new PushSocket(transport, withProtocol(options)),
  PULL: (transport, options) => new PullSocket(transport, withProtocol(options)),
  DEALER: (transport, options) => new DealerSocket(transport, options),
  ROUTER: (transport, options) => new RouterSocket(transport, options),
  PAIR: (transport, options) => new PairSocket(transport, options),
  XPUB: (transport, options) => new XPubSocket(transport, options),
  XSUB: (transport, options) => new XSubSocket(transport, options),
};

function withProtocol(options: Options): SocketOptions {
  const { security, identity, metadata, correlate, sendHighWaterMark, heartbeat, ...rest } =
    options;
  const own = { security, identity, metadata, correlate, sendHighWaterMark, heartbeat };
  return { protocol: zmtp(own), ...rest };
}

/** One transport, as both sides have it. */
export interface Carrier {
  readonly name: "tcp" | "ipc";
  readonly ours: () => Transport;
  readonly freshAddress: (stage: Stage) => string;
}

/** TCP and Unix sockets. */
export const carriers: readonly Carrier[] = [
  { name: "tcp", ours: () => new Tcp(), freshAddress: () => "127.0.0.1:0" },
  { name: "ipc", ours: () => new Ipc(), freshAddress: (stage) => stage.path() },
];

/** What two ends are made with. */
export interface Joining {
  readonly stage: Stage;
  readonly peer: ZmqProcess;
  readonly carrier: Carrier;
  readonly secured?: Secured;
  /** Who listens, and is the server of a mechanism. */
  readonly bound: "ours" | "theirs";
  readonly ourOptions?: Options;
  readonly theirOptions?: object;
}

/** Makes a socket of each side and connects them. */
export async function join<Type extends OurType>(
  type: Type,
  theirType: string,
  joining: Joining,
): Promise<{ ours: OurSockets[Type]; theirs: ZmqSocket }> {
  const { stage, peer, carrier, secured = open, bound, theirOptions = {} } = joining;
  const ours = makeOurs(type, joining);
  const theirRole: Role = bound === "theirs" ? "server" : "client";
  const options = { ...secured.theirs(theirRole), ...theirOptions };
  const scheme = `${carrier.name}://`;
  const address = carrier.freshAddress(stage);
  let theirs: ZmqSocket;
  if (bound === "theirs") {
    theirs = await peer.open({ type: theirType, bind: scheme + address, options });
    await ours.connect(theirs.address);
  } else {
    const at = await ours.bind(address);
    theirs = await peer.open({ type: theirType, connect: scheme + at, options });
  }
  stage.atEnd(() => theirs.close());
  await ours.ready();
  return { ours, theirs };
}

/** Makes a socket of ours alone. */
export function makeOurs<Type extends OurType>(
  type: Type,
  { stage, carrier, secured = open, bound, ourOptions = {} }: Omit<Joining, "peer">,
): OurSockets[Type] {
  const security = secured.ours(bound === "ours" ? "server" : "client");
  const socket = makers[type](carrier.ours(), {
    ...(security === undefined ? {} : { security }),
    ...ourOptions,
  });
  stage.socket(socket);
  return socket;
}
