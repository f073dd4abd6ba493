import { Buffer } from "node:buffer";
import type * as NodeDgram from "node:dgram";
import { isIPv6 } from "node:net";
import { builtinModule } from "../builtin-module.ts";
import type { HostPort } from "./engine.ts";

/** What is asked for; the system gives what it allows, under Linux `net.core.rmem_max`. */
const bufferBytes = 4 * 1024 * 1024;

/** So many datagrams may wait in Node.js before no more are made: the network does not take them. */
const maxQueuedDatagrams = 64;

let dgram: typeof NodeDgram | undefined;

/** What the owner of a {@link UdpSocket} is told. */
export interface UdpHandlers {
  onDatagram(datagram: Buffer, from: HostPort): void;
  onError(error: Error): void;
}

/** A UDP socket that is bound, or connected to one peer. */
export class UdpSocket {
  readonly local: HostPort;
  readonly #socket: NodeDgram.Socket;
  readonly #isConnected: boolean;
  #scratch: Buffer = Buffer.allocUnsafeSlow(16 * 1024);
  /** The beginning of it that was asked for last: mostly it is the same one again. */
  #view: Uint8Array = this.#scratch;
  #isClosed = false;

  private constructor(socket: NodeDgram.Socket, isConnected: boolean) {
    const { address, port } = socket.address();
    this.local = { host: address, port };
    this.#socket = socket;
    this.#isConnected = isConnected;
  }

  /** Binds to a host and port; an error of the host rejects. */
  static bind(local: HostPort, handlers: UdpHandlers): Promise<UdpSocket> {
    return open(local.host, handlers, (socket, onOpen) => {
      socket.bind({ address: local.host, port: local.port }, () =>
        onOpen(new UdpSocket(socket, false)),
      );
    });
  }

  /**
   * Connects to one peer: then the system tells when nobody listens there, and sends with less work.
   */
  static connect(remote: HostPort, handlers: UdpHandlers): Promise<UdpSocket> {
    return open(remote.host, handlers, (socket, onOpen) => {
      socket.connect(remote.port, remote.host, () => onOpen(new UdpSocket(socket, true)));
    });
  }

  /** Memory for the next datagram to be sent. */
  scratchFor(bytes: number): Uint8Array {
    if (this.#view.length !== bytes) this.#view = this.#scratch.subarray(0, bytes);
    return this.#view;
  }

  /** Sends the beginning of what {@link scratchFor} gave. False when no more should be sent now. */
  transmit(length: number, to: HostPort): boolean {
    if (this.#isClosed) return true;
    const socket = this.#socket;
    if (this.#isConnected) socket.send(this.#scratch, 0, length);
    else socket.send(this.#scratch, 0, length, to.port, to.host);
    const waiting = socket.getSendQueueCount();
    // Nearly always the system has it by now, and the memory is free again.
    if (waiting > 0) {
      this.#scratch = Buffer.allocUnsafeSlow(this.#scratch.length);
      this.#view = this.#scratch;
    }
    return waiting < maxQueuedDatagrams;
  }

  /** Sends a datagram of its own memory, which must not be changed afterwards. */
  send(datagram: Uint8Array, to: HostPort): void {
    if (this.#isClosed || datagram.length === 0) return;
    if (this.#isConnected) this.#socket.send(datagram);
    else this.#socket.send(datagram, to.port, to.host);
  }

  /** The address is free when it resolves. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
  }
}

type Opening = (socket: NodeDgram.Socket, onOpen: (opened: UdpSocket) => void) => void;

function open(host: string, handlers: UdpHandlers, start: Opening): Promise<UdpSocket> {
  dgram ??= builtinModule("node:dgram") as typeof NodeDgram;
  const family = isIPv6(host.replace(/%.*$/, "")) ? 6 : 4;
  const socket = dgram.createSocket({
    type: family === 6 ? "udp6" : "udp4",
    // Only addresses come here: Node's own lookup would take a turn for each datagram.
    lookup: (name, _options, callback) => callback(null, name, family),
  });
  return new Promise((resolve, reject) => {
    const onFailed = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once("error", onFailed);
    start(socket, (opened) => {
      socket.off("error", onFailed);
      enlargeBuffers(socket);
      socket.on("error", (error) => handlers.onError(error));
      socket.on("message", (datagram, { address, port }) =>
        handlers.onDatagram(datagram, { host: address, port }),
      );
      resolve(opened);
    });
  });
}

function enlargeBuffers(socket: NodeDgram.Socket): void {
  try {
    socket.setRecvBufferSize(bufferBytes);
    socket.setSendBufferSize(bufferBytes);
  } catch {
    // Not every system cuts down what is too much; then they stay as they are.
  }
}
