import { Buffer } from "node:buffer";
import type { HostPort } from "./engine.ts";
import { UdpSocket } from "./udp-socket.ts";

/** A probe timeout sends two; what else is sent until another socket is open can be lost. */
const maxHeldDatagrams = 8;

/**
 * How long a socket that was given up is still heard. A peer that was stopped answers what it finds
 * there, and the engine at its end sends what is lost on such a path there again and again, not on
 * the one that works: the stream would stand still for good.
 */
const heardForMs = 3_000;

/** No more than so many are heard beside the two. */
const maxLeaving = 4;

/** What the owner of a {@link RoamingSocket} is told. */
export interface RoamingHandlers {
  /** Gives whether the datagram was the peer's: anybody can make one that only looks like it. */
  onDatagram(datagram: Uint8Array): boolean;
  onError(error: Error): void;
}

/**
 * The UDP socket of a dialer, which finds another way when nothing comes back: perhaps the network
 * of this host has changed, and the socket is bound to an address that it has no more.
 *
 * While it looks, it has two sockets, sends everything on both, and hears both; the first one that
 * the peer is heard on stays. To give the old one up beforehand would lose the answers that are on
 * their way to it, and each that comes when a blackout is over. One that is given up is heard for
 * some seconds more.
 */
export class RoamingSocket {
  readonly #remote: HostPort;
  readonly #handlers: RoamingHandlers;
  #current: UdpSocket;
  #other: UdpSocket | undefined;
  #isLooking = false;
  #isOpening = false;
  #isClosed = false;
  #scratch: Uint8Array = new Uint8Array(0);
  #held: Buffer[] = [];
  /** Given up, and heard for a while, the oldest first; with what closes each. */
  readonly #leaving: Map<UdpSocket, NodeJS.Timeout> = new Map();

  private constructor(remote: HostPort, handlers: RoamingHandlers, current: UdpSocket) {
    this.#remote = remote;
    this.#handlers = handlers;
    this.#current = current;
  }

  /** An error of the host rejects. */
  static async connect(remote: HostPort, handlers: RoamingHandlers): Promise<RoamingSocket> {
    const udp = await UdpSocket.connect(remote, {
      onDatagram: (datagram) => roaming.#onDatagram(datagram, udp),
      onError: (error) => roaming.#onError(error, udp),
    });
    const roaming: RoamingSocket = new RoamingSocket(remote, handlers, udp);
    return roaming;
  }

  get local(): HostPort {
    return this.#current.local;
  }

  /** Whether there are two, and it matters what {@link RoamingHandlers.onDatagram} gives. */
  get isLooking(): boolean {
    return this.#isLooking;
  }

  /** Memory for the next datagram. */
  scratchFor(bytes: number): Uint8Array {
    this.#scratch = this.#current.scratchFor(bytes);
    return this.#scratch;
  }

  /** Sends the beginning of what {@link scratchFor} gave. False when no more should be sent now. */
  transmit(length: number): boolean {
    if (this.#isLooking) this.#sendBeside(this.#scratch.subarray(0, length));
    return this.#current.transmit(length, this.#remote);
  }

  /**
   * Opens another socket beside the one that it has, in place of one that was opened before in vain.
   * What is sent until it is open leaves there as well.
   */
  look(): void {
    if (this.#isOpening || this.#isClosed) return;
    this.#leave(this.#other);
    this.#other = undefined;
    this.#isLooking = true;
    this.#isOpening = true;
    let opened: UdpSocket | undefined;
    const handlers = {
      onDatagram: (datagram: Uint8Array) => this.#onDatagram(datagram, opened),
      onError: (error: Error) => this.#onError(error, opened),
    };
    UdpSocket.connect(this.#remote, handlers).then(
      (udp) => {
        opened = udp;
        this.#onOpened(udp);
      },
      // There is no way at all for now.
      () => this.#onOpened(undefined),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#isLooking = false;
    this.#held = [];
    void this.#current.close();
    void this.#other?.close();
    for (const udp of this.#leaving.keys()) this.#forget(udp);
  }

  #leave(udp: UdpSocket | undefined): void {
    if (udp === undefined) return;
    const timer = setTimeout(() => this.#forget(udp), heardForMs);
    this.#leaving.set(udp, timer);
    const [oldest] = this.#leaving.keys();
    if (this.#leaving.size > maxLeaving && oldest !== undefined) this.#forget(oldest);
  }

  #forget(udp: UdpSocket): void {
    clearTimeout(this.#leaving.get(udp));
    this.#leaving.delete(udp);
    void udp.close();
  }

  #onOpened(udp: UdpSocket | undefined): void {
    const held = this.#held;
    this.#held = [];
    this.#isOpening = false;
    if (!this.#isLooking) {
      void udp?.close();
      return;
    }
    this.#other = udp;
    for (const datagram of held) udp?.send(datagram, this.#remote);
  }

  /** One that was left may still tell what became of what it had sent. */
  #onError(error: Error, udp: UdpSocket | undefined): void {
    if (this.#isClosed || (udp !== this.#current && udp !== this.#other)) return;
    this.#handlers.onError(error);
  }

  #sendBeside(datagram: Uint8Array): void {
    if (this.#other !== undefined) this.#other.send(Buffer.from(datagram), this.#remote);
    else if (this.#isOpening && this.#held.length < maxHeldDatagrams) {
      this.#held.push(Buffer.from(datagram));
    }
  }

  #onDatagram(datagram: Uint8Array, udp: UdpSocket | undefined): void {
    const isPeers = this.#handlers.onDatagram(datagram);
    if (!isPeers || !this.#isLooking) return;
    this.#isLooking = false;
    this.#held = [];
    const [current, other] = [this.#current, this.#other];
    const found = udp ?? current;
    clearTimeout(this.#leaving.get(found));
    this.#leaving.delete(found);
    if (found !== current) this.#leave(current);
    if (found !== other) this.#leave(other);
    this.#current = found;
    this.#other = undefined;
  }
}
