import { createCipheriv, createHmac, randomBytes } from "node:crypto";
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "@msg-ts/testing";
import type {
  QuicheConfig,
  QuicheConnection,
} from "../../packages/transports/src/quic/quiche-binding.ts";
import { isGoneNotice } from "../../packages/transports/src/quic/gone-notice.ts";
import { loadQuiche } from "../../packages/transports/src/quic/quiche-binding.ts";

const host = "127.0.0.1";
const quiche = loadQuiche();

/** What the binding has for debugging, and honest programs have no use for. */
interface KeyLogging {
  logKeys(): void;
}
interface KeyLogged {
  setKeylog(path: string): void;
  destinationId(): Uint8Array;
}

/** How an attacker comes to a server. */
export interface AttackerOptions {
  readonly protocol: string;
  /** How long the connection id is that the server is to answer to. */
  readonly sourceIdBytes: number;
}

/**
 * A QUIC client that shakes hands as it should, and then sends packets with whatever frames it
 * likes: encrypted with the keys of the connection, but made by hand.
 */
export class QuicAttacker {
  readonly #connection: QuicheConnection & KeyLogged;
  readonly #sockets: readonly Socket[];
  readonly #port: number;
  /** Packet numbers that the engine will not come to by itself. */
  #packetNumber = 1_000_000;
  #keys: PacketKeys | undefined;
  #isForgotten = false;
  /** Datagrams that came, for each of its two addresses. */
  readonly answers: number[] = [0, 0];

  private constructor(
    port: number,
    sockets: readonly Socket[],
    connection: QuicheConnection & KeyLogged,
  ) {
    this.#port = port;
    this.#sockets = sockets;
    this.#connection = connection;
  }

  /** Shakes hands; rejects when the server turns it away. */
  static async connect(port: number, options: AttackerOptions): Promise<QuicAttacker> {
    const sockets = [createSocket("udp4"), createSocket("udp4")];
    for (const socket of sockets) {
      socket.bind(0, host);
      await once(socket, "listening");
    }
    const [{ port: localPort }] = sockets.map((socket) => socket.address()) as [AddressInfo];
    const local = { host, port: localPort };
    const remote = { host, port };
    const folder = mkdtempSync(join(tmpdir(), "msg-ts-"));
    const keyLog = join(folder, "keys");
    const config = configOf(options);
    const sourceId = randomBytes(options.sourceIdBytes);
    const connection = quiche.Connection.connect("localhost", sourceId, local, remote, config);
    const logged = connection as QuicheConnection & KeyLogged;
    logged.setKeylog(keyLog);
    const attacker = new QuicAttacker(port, sockets, logged);
    sockets.forEach((socket, index) => {
      socket.on("message", (datagram) => {
        attacker.answers[index] = (attacker.answers[index] ?? 0) + 1;
        attacker.#receive(datagram, { from: remote, to: local });
      });
    });
    attacker.flush();
    try {
      await waitFor(() => connection.isEstablished() || connection.isDraining(), {
        what: "the handshake of the attacker is done",
      });
      if (!connection.isEstablished()) throw new Error("turned away");
      attacker.#keys = keysOf(keyLog);
    } catch (error) {
      attacker.close();
      throw error;
    } finally {
      rmSync(folder, { recursive: true });
    }
    return attacker;
  }

  /** Told that it is over, or that nobody knows it. */
  get isClosed(): boolean {
    return this.#isForgotten || this.#connection.isDraining() || this.#connection.isClosed();
  }

  /** Has the engine send what it wants to send. */
  flush(): void {
    const into = Buffer.alloc(1_350);
    for (
      let sent = this.#connection.send(into);
      sent !== null;
      sent = this.#connection.send(into)
    ) {
      this.#sockets[0]?.send(Buffer.from(into.subarray(0, sent[0])), this.#port, host);
    }
  }

  /** Sends a packet with these frames, from its first or its second address. */
  send(frames: readonly Uint8Array[], address: 0 | 1 = 0): void {
    if (this.#keys === undefined) throw new Error("there are no keys yet");
    const id = Buffer.from(this.#connection.destinationId());
    const packet = seal(this.#keys, id, this.#packetNumber++, Buffer.concat(frames));
    this.#sockets[address]?.send(packet, this.#port, host);
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #receive(datagram: Buffer, path: { from: HostPort; to: HostPort }): void {
    const destinationId = this.#connection.destinationId();
    if (isGoneNotice(datagram, { destinationId })) this.#isForgotten = true;
    try {
      this.#connection.recv(datagram, path);
    } catch {
      // It gets acknowledgements of packets that it does not know of.
    }
    if (!this.isClosed) this.flush();
  }
}

interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface PacketKeys {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly headerKey: Buffer;
}

function configOf({ protocol }: AttackerOptions): QuicheConfig {
  const config = quiche.Config.withBoringSslCtx(
    false,
    false,
    undefined,
    undefined,
    undefined,
    undefined,
  );
  (config as unknown as KeyLogging).logKeys();
  config.setApplicationProtos([protocol]);
  config.setMaxIdleTimeout(30_000);
  config.setInitialMaxData(1_000_000);
  config.setInitialMaxStreamDataBidiLocal(1_000_000);
  config.setInitialMaxStreamDataUni(1_000_000);
  config.setInitialMaxStreamsUni(10);
  return config;
}

/** RFC 9001, section 5.1, for AES-128-GCM, which BoringSSL prefers. */
function keysOf(keyLog: string): PacketKeys {
  const [, hex = ""] =
    /CLIENT_TRAFFIC_SECRET_0 \w+ (\w{64})\b/.exec(readFileSync(keyLog, "utf8")) ?? [];
  const secret = Buffer.from(hex, "hex");
  return {
    key: expandLabel(secret, "quic key", 16),
    iv: expandLabel(secret, "quic iv", 12),
    headerKey: expandLabel(secret, "quic hp", 16),
  };
}

function expandLabel(secret: Uint8Array, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, name.length), name, Buffer.of(0, 1)]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

/** A packet with a short header (RFC 9000, section 17.3.1) and a number of four bytes. */
function seal(
  { key, iv, headerKey }: PacketKeys,
  id: Buffer,
  number: number,
  frames: Buffer,
): Buffer {
  const header = Buffer.concat([Buffer.of(0x43), id, Buffer.alloc(4)]);
  const numberAt = header.length - 4;
  header.writeUInt32BE(number, numberAt);
  const nonce = Buffer.from(iv);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ number) >>> 0, 8);
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(header);
  const sealed = Buffer.concat([cipher.update(frames), cipher.final(), cipher.getAuthTag()]);
  const mask = createCipheriv("aes-128-ecb", headerKey, null).setAutoPadding(false);
  const bits = mask.update(sealed.subarray(0, 16));
  header.writeUInt8(0x43 ^ (bits.readUInt8(0) & 0x1f), 0);
  header.writeUInt32BE((number ^ bits.readUInt32BE(1)) >>> 0, numberAt);
  return Buffer.concat([header, sealed]);
}

/** RFC 9000, section 16: in four bytes, whatever the number. */
function varint(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((0x80000000 | value) >>> 0);
  return bytes;
}

/** The frames of RFC 9000, section 19, that the engine has trouble with. */
export const frames: {
  ping(): Buffer;
  newConnectionId(sequence: number, retirePriorTo: number): Buffer;
  pathChallenge(): Buffer;
  crypto(offset: number, bytes: number): Buffer;
  ack(largest: number, smallest: number): Buffer;
} = {
  ping: () => Buffer.of(0x01),
  newConnectionId: (sequence, retirePriorTo) =>
    Buffer.concat([
      Buffer.of(0x18),
      varint(sequence),
      varint(retirePriorTo),
      Buffer.of(8),
      randomBytes(8),
      randomBytes(16),
    ]),
  pathChallenge: () => Buffer.concat([Buffer.of(0x1a), randomBytes(8)]),
  crypto: (offset, bytes) =>
    Buffer.concat([Buffer.of(0x06), varint(offset), varint(bytes), randomBytes(bytes)]),
  ack: (largest, smallest) =>
    Buffer.concat([
      Buffer.of(0x02),
      varint(largest),
      varint(0),
      varint(0),
      varint(largest - smallest),
    ]),
};
