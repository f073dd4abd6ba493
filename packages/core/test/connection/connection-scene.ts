import type { MemoryLink, MemoryLinkOptions } from "@msg-ts/testing";
import { bytes, hex, joinBytes, memoryLinks, SimulatedRuntime } from "@msg-ts/testing";
import { Connection } from "../../src/connection/connection.ts";
import { FrameWatch } from "../../src/connection/frame-watch.ts";
import { ChunkPool } from "../../src/connection/outbox.ts";
import type {
  HandshakeContext,
  SocketType,
  Welcome,
  WriterByType,
} from "../../src/contracts/protocol.ts";
import type { MsgError } from "../../src/errors.ts";
import { Compression } from "../../src/wire/compression.ts";
import { msg } from "../../src/wire/msg/protocol.ts";
import type { Recording } from "../wire/recording-sink.ts";
import { recordingSink } from "../wire/recording-sink.ts";

/** What an {@link End} is made with. */
export interface EndOptions extends Partial<Omit<HandshakeContext, "socketType" | "isDialer">> {
  /** @defaultValue 10_000 */
  readonly frameTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
  /** @defaultValue 1 MiB */
  readonly sendHighWaterBytes?: number;
  readonly compression?: Compression;
  /** @defaultValue 1 MiB */
  readonly maxMessageBytes?: number;
  /** Runs when the peer is let in, before the decoder is made. */
  onReady?(end: End<SocketType>): void;
  onBeforeFlush?(end: End<SocketType>): void;
  onPeerEnded?(end: End<SocketType>): void;
}

/** One connection with the sink of its socket type, and what its owner was told. */
export class End<Type extends SocketType> {
  readonly connection: Connection;
  readonly recording: Recording<Type>;
  /** In order: `ready`, `drain`, `peer ended`, `closed`. */
  readonly events: string[] = [];
  readonly link: MemoryLink;
  welcome: Welcome | undefined;
  reason: MsgError | undefined;
  #writer: WriterByType[Type] | undefined;

  constructor(
    type: Type,
    isDialer: boolean,
    link: MemoryLink,
    runtime: SimulatedRuntime,
    options: EndOptions = {},
  ) {
    this.link = link;
    this.recording = recordingSink(type);
    const { name = "", authToken, authenticator, hook } = options;
    this.connection = new Connection(
      link,
      {
        runtime,
        pool: new ChunkPool(),
        protocol: msg(),
        handshake: { socketType: type, isDialer, name, authToken, authenticator, hook },
        handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
        sendHighWaterBytes: options.sendHighWaterBytes ?? 1024 * 1024,
        frameWatch: new FrameWatch(runtime, options.frameTimeoutMs ?? Infinity),
        transport: "memory",
      },
      {
        onReady: (welcome) => {
          this.events.push("ready");
          this.welcome = welcome;
          options.onReady?.(this);
          const compression = options.compression ?? new Compression(undefined, 0, []);
          const maxMessageBytes = options.maxMessageBytes ?? 1024 * 1024;
          const wire = msg().open(type, this.connection.outbox, this.recording.sink, {
            maxMessageBytes,
            gate: this.connection,
            decompress: (id, payload, maxBytes) => compression.decompress(id, payload, maxBytes),
            fail: (error) => this.connection.fail(error),
            pulse: this.connection,
          });
          this.#writer = wire.writer;
          return wire.decoder;
        },
        onHurried: () => this.events.push("hurried"),
        onTaken: () => {},
        onDrain: () => this.events.push("drain"),
        onBeforeFlush: () => options.onBeforeFlush?.(this),
        onPeerEnded: () => {
          this.events.push("peer ended");
          options.onPeerEnded?.(this);
        },
        onClosed: (reason) => {
          this.events.push("closed");
          this.reason = reason;
        },
      },
    );
  }

  /** @throws Error before the connection is ready. */
  get writer(): WriterByType[Type] {
    if (this.#writer === undefined) throw new Error("the connection is not ready");
    return this.#writer;
  }
}

/** The other end of a link, byte by byte. */
class RawPeer {
  readonly link: MemoryLink;
  readonly #chunks: Uint8Array[] = [];
  hasPeerEnded = false;
  isClosed = false;

  constructor(link: MemoryLink) {
    this.link = link;
    link.start({
      onData: (chunk) => this.#chunks.push(new Uint8Array(chunk)),
      onDrain() {},
      onEnd: () => {
        this.hasPeerEnded = true;
      },
      onClose: () => {
        this.isClosed = true;
      },
    });
  }

  /** Everything received, as hex. */
  get received(): string {
    return hex(joinBytes(this.#chunks));
  }

  /** Sends literal hex, or bytes. */
  send(data: string | Uint8Array): void {
    this.link.write([typeof data === "string" ? bytes(data) : data]);
  }
}

/** A connection and a raw peer, on a simulated runtime. Nothing is started yet. */
export function againstRawPeer<Type extends SocketType>(
  type: Type,
  side: "dials" | "accepts",
  options: EndOptions = {},
  linkOptions: Partial<MemoryLinkOptions> = {},
) {
  const runtime = new SimulatedRuntime();
  const { dialed, accepted } = memoryLinks({ runtime, ...linkOptions });
  const isDialer = side === "dials";
  const end = new End(type, isDialer, isDialer ? dialed : accepted, runtime, options);
  const peer = new RawPeer(isDialer ? accepted : dialed);
  return { runtime, end, connection: end.connection, peer };
}

/** The same, started and at rest. */
export async function startedAgainstRawPeer<Type extends SocketType>(
  type: Type,
  side: "dials" | "accepts",
  options: EndOptions = {},
  linkOptions: Partial<MemoryLinkOptions> = {},
) {
  const scene = againstRawPeer(type, side, options, linkOptions);
  scene.connection.start();
  await scene.runtime.settle();
  return scene;
}
