import type { Buffer } from "node:buffer";
import type { RemoteInfo, Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import type { DatagramFaults } from "./datagram-faults.ts";
import type { DatagramCounts, DatagramRoute } from "./datagram-pipe.ts";
import { DatagramPipe } from "./datagram-pipe.ts";
import type { HostPort } from "./net-address.ts";
import { addressText, hostPort } from "./net-address.ts";
import { seededRandom } from "./simulated-runtime.ts";

/** Between whom a {@link UdpProxy} stands. */
export interface UdpProxyOptions {
  /** Where the real server is: `127.0.0.1:4444`, `[::1]:4444`. An address, never a name. */
  readonly to: string;
  /** Where clients send to. @defaultValue port 0 of the loopback of the family of {@link to} */
  readonly listen?: string;
  /** Of the chance of all faults. @defaultValue 1 */
  readonly seed?: number;
  /** Both ways. @defaultValue none */
  readonly faults?: DatagramFaults;
  /** One more client replaces the one that was silent longest. @defaultValue 4_096 */
  readonly maxClients?: number;
}

/** A way through a {@link UdpProxy}. */
export type UdpDirection = "toServer" | "toClient";

/**
 * A real proxy on which a test lets the network of datagrams fail. Each client has a socket of its
 * own towards the server, as behind a NAT.
 *
 * It cannot pass on ICMP: a client never hears that the port of the server is closed.
 */
export interface UdpProxy {
  /** Where clients send to, in the form of {@link UdpProxyOptions.listen}. */
  readonly address: string;
  /** Clients that have a socket towards the server. */
  readonly clientCount: number;
  /** Sockets towards the server that were replaced by {@link UdpProxy.changePorts}. */
  readonly portChangeCount: number;
  readonly counts: Readonly<Record<UdpDirection, DatagramCounts>>;
  /** Sends that the operating system refused, such as with an ICMP error that came before. */
  readonly failedSendCount: number;
  /** Datagrams that are under way in the proxy. */
  readonly waitingCount: number;
  /** From now on, both ways or one; faults that are not named are off. */
  setFaults(faults: DatagramFaults, direction?: UdpDirection): void;
  /** Drops everything, both ways or one, until {@link UdpProxy.open}; nobody is told. */
  block(direction?: UdpDirection): void;
  /** Keeps everything back, both ways or one, until {@link UdpProxy.open}. */
  stall(direction?: UdpDirection): void;
  /** Ends {@link UdpProxy.block} and {@link UdpProxy.stall}. */
  open(direction?: UdpDirection): void;
  /**
   * Gives every client another source port towards the server, as a NAT does that forgot it. What
   * the server sends to the old ports is lost. Resolves when the new ones are there.
   */
  changePorts(): Promise<void>;
  /** Drops everything and frees the address. */
  close(): Promise<void>;
}

/** Listens and forwards. Resolves when clients may send. */
export async function udpProxy(options: UdpProxyOptions): Promise<UdpProxy> {
  const proxy = new NetUdpProxy(options);
  await proxy.listen();
  return proxy;
}

/** A burst must not be lost before chance has looked at it. */
const socketBufferBytes = 4_194_304;

function openSocket(host: string): Socket {
  const type = isIPv6(host) ? "udp6" : "udp4";
  // Addresses only: without this every send would pass through a thread that looks names up.
  const lookup = (name: string, _: unknown, done: (e: null, a: string, f: number) => void): void =>
    done(null, name, type === "udp6" ? 6 : 4);
  const buffers = { recvBufferSize: socketBufferBytes, sendBufferSize: socketBufferBytes };
  return createSocket({ type, lookup, ...buffers });
}

/** One client, and its socket towards the server. */
class Client {
  lastSeenMs = 0;
  isGone = false;
  readonly toServer: DatagramRoute;
  readonly toClient: DatagramRoute;
  socket: Socket;

  constructor(socket: Socket, sendBack: (datagram: Buffer) => void, onFailure: () => void) {
    this.socket = socket;
    this.toClient = { send: sendBack };
    this.toServer = {
      send: (datagram) => {
        if (this.isGone) onFailure();
        else this.socket.send(datagram, (error) => void (error !== null && onFailure()));
      },
    };
  }

  close(): void {
    this.isGone = true;
    this.socket.close();
  }
}

class NetUdpProxy implements UdpProxy {
  address = "";
  portChangeCount = 0;
  failedSendCount = 0;
  readonly #to: HostPort;
  readonly #listen: HostPort;
  readonly #maxClients: number;
  readonly #socket: Socket;
  readonly #pipes: Readonly<Record<UdpDirection, DatagramPipe>>;
  /** By address and port. A client is in it from its first datagram on, before it can send on. */
  readonly #clients: Map<string, Promise<Client>> = new Map();
  readonly #connected: Map<string, Client> = new Map();
  #isClosed = false;

  constructor({ to, listen, seed = 1, faults = {}, maxClients = 4_096 }: UdpProxyOptions) {
    this.#to = hostPort(to);
    this.#listen = hostPort(listen ?? (isIPv6(this.#to.host) ? "[::1]:0" : "127.0.0.1:0"));
    this.#maxClients = maxClients;
    this.#socket = openSocket(this.#listen.host);
    this.#pipes = {
      toServer: new DatagramPipe(seededRandom(seed)),
      toClient: new DatagramPipe(seededRandom(seed + 1)),
    };
    this.setFaults(faults);
  }

  async listen(): Promise<void> {
    const socket = this.#socket;
    // Begun before, because without a real look-up the event comes inside the call.
    const listening = once(socket, "listening");
    socket.bind(this.#listen.port, this.#listen.host);
    await listening;
    // A send that fails asynchronously is told to its callback.
    socket.on("error", () => {});
    socket.on("message", (datagram, from) => this.#onClientDatagram(datagram, from));
    this.address = addressText(socket.address());
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  get counts(): Readonly<Record<UdpDirection, DatagramCounts>> {
    return { toServer: this.#pipes.toServer.counts, toClient: this.#pipes.toClient.counts };
  }

  get waitingCount(): number {
    return this.#pipes.toServer.waitingCount + this.#pipes.toClient.waitingCount;
  }

  setFaults(faults: DatagramFaults, direction?: UdpDirection): void {
    for (const pipe of this.#pipesOf(direction)) pipe.setFaults(faults);
  }

  block(direction?: UdpDirection): void {
    for (const pipe of this.#pipesOf(direction)) pipe.block();
  }

  stall(direction?: UdpDirection): void {
    for (const pipe of this.#pipesOf(direction)) pipe.stall();
  }

  open(direction?: UdpDirection): void {
    for (const pipe of this.#pipesOf(direction)) pipe.open();
  }

  async changePorts(): Promise<void> {
    const clients = await Promise.all(this.#clients.values());
    await Promise.all(
      clients.map(async (client) => {
        const old = client.socket;
        client.socket = await this.#towardsServer(client);
        old.close();
        this.portChangeCount += 1;
      }),
    );
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pipe of this.#pipesOf()) pipe.close();
    const making = await Promise.allSettled(this.#clients.values());
    const clients = making.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    this.#clients.clear();
    this.#connected.clear();
    for (const client of clients) client.close();
    const closed = once(this.#socket, "close");
    this.#socket.close();
    await closed;
  }

  #pipesOf(direction?: UdpDirection): readonly DatagramPipe[] {
    return direction === undefined ? Object.values(this.#pipes) : [this.#pipes[direction]];
  }

  #onClientDatagram(datagram: Buffer, from: RemoteInfo): void {
    if (this.#isClosed) return;
    const key = addressText(from);
    const client = this.#connected.get(key);
    if (client !== undefined) this.#forward(client, datagram);
    else {
      this.#clientOf(key, from).then(
        (made) => this.#forward(made, datagram),
        () => void (this.failedSendCount += 1),
      );
    }
  }

  #forward(client: Client, datagram: Buffer): void {
    client.lastSeenMs = performance.now();
    if (!this.#isClosed) this.#pipes.toServer.push(datagram, client.toServer);
  }

  #clientOf(key: string, from: RemoteInfo): Promise<Client> {
    const present = this.#clients.get(key);
    if (present !== undefined) return present;
    if (this.#clients.size >= this.#maxClients) this.#forgetOldest();
    const made = this.#makeClient(from);
    this.#clients.set(key, made);
    made.then(
      (client) => this.#connected.set(key, client),
      () => this.#clients.delete(key),
    );
    return made;
  }

  async #makeClient(from: RemoteInfo): Promise<Client> {
    const onFailure = (): void => void (this.failedSendCount += 1);
    const sendBack = (datagram: Buffer): void => {
      if (this.#isClosed) return;
      this.#socket.send(datagram, from.port, from.address, (error) => {
        if (error !== null) onFailure();
      });
    };
    const client = new Client(this.#socket, sendBack, onFailure);
    client.socket = await this.#towardsServer(client);
    return client;
  }

  async #towardsServer(client: Client): Promise<Socket> {
    const socket = openSocket(this.#to.host);
    const connected = once(socket, "connect");
    socket.connect(this.#to.port, this.#to.host);
    await connected;
    socket.on("error", () => void (this.failedSendCount += 1));
    socket.on("message", (datagram) => {
      client.lastSeenMs = performance.now();
      if (!this.#isClosed) this.#pipes.toClient.push(datagram, client.toClient);
    });
    return socket;
  }

  #forgetOldest(): void {
    let oldest: string | undefined;
    let oldestMs = Infinity;
    for (const [key, { lastSeenMs }] of this.#connected) {
      if (lastSeenMs >= oldestMs) continue;
      oldest = key;
      oldestMs = lastSeenMs;
    }
    if (oldest === undefined) return;
    this.#connected.get(oldest)?.close();
    this.#connected.delete(oldest);
    this.#clients.delete(oldest);
  }
}
