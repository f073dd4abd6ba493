import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { addressText, netAddress } from "./net-address.ts";
import { seededRandom } from "./simulated-runtime.ts";
import type { StreamFaults } from "./stream-faults.ts";
import type { StreamCounts } from "./stream-pipe.ts";
import { StreamPipe, StreamWay } from "./stream-pipe.ts";

/** Between whom a {@link TcpProxy} stands. */
export interface TcpProxyOptions {
  /** Where the real listener is: `host:port`, `[::1]:port`, or a path. */
  readonly to: string;
  /** Where clients connect. @defaultValue "127.0.0.1:0" */
  readonly listen?: string;
  /** Of the chance of jitter. @defaultValue 1 */
  readonly seed?: number;
  /** Both ways. @defaultValue none */
  readonly faults?: StreamFaults;
}

/** A way through a {@link TcpProxy}. */
export type TcpDirection = "toServer" | "toClient";

/**
 * A real proxy on which a test slows, holds, splits, swallows and cuts live connections. For plain
 * cuts and stalls `cuttableProxy` is enough. It cannot lose packets: that takes the network lab.
 */
export interface TcpProxy {
  readonly address: string;
  /** Connections that stand now, with both sockets. */
  readonly connectionCount: number;
  readonly acceptedCount: number;
  readonly counts: Readonly<Record<TcpDirection, StreamCounts>>;
  /** From now on, both ways or one; faults that are not named are off. */
  setFaults(faults: StreamFaults, direction?: TcpDirection): void;
  /** Keeps everything back, both ways or one, until {@link TcpProxy.open}; then the sender is not read. */
  hold(direction?: TcpDirection): void;
  /**
   * Takes everything and gives nothing on, both ways or one. A connection that lost a byte so never
   * carries another that way; {@link TcpProxy.open} is for those that lost none, and new ones.
   */
  swallow(direction?: TcpDirection): void;
  /** Ends {@link TcpProxy.hold} and {@link TcpProxy.swallow}. */
  open(direction?: TcpDirection): void;
  /**
   * Destroys one side of every connection; the other side, which is named, is not told, and
   * whatever it writes is swallowed: half-open, as behind a router that lost its table.
   */
  leaveHalfOpen(side: "client" | "server"): void;
  /** Resets every connection at both ends. New ones may come. */
  reset(): void;
  /** Resets everything and frees the address. */
  close(): Promise<void>;
}

/** Listens and forwards. Resolves when clients may connect. */
export async function tcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new NetTcpProxy(options);
  await proxy.listen(options.listen ?? "127.0.0.1:0");
  return proxy;
}

/** Both sockets of one client's connection, and its two ways. */
interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly toServer: StreamPipe;
  readonly toClient: StreamPipe;
  isHalfOpen: boolean;
}

class NetTcpProxy implements TcpProxy {
  address = "";
  acceptedCount = 0;
  readonly #to: ReturnType<typeof netAddress>;
  readonly #server: Server;
  readonly #ways: Readonly<Record<TcpDirection, StreamWay>>;
  readonly #connections: Set<Connection> = new Set();

  constructor({ to, seed = 1, faults = {} }: TcpProxyOptions) {
    this.#to = netAddress(to);
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#onClient(client));
    this.#ways = {
      toServer: new StreamWay(seededRandom(seed)),
      toClient: new StreamWay(seededRandom(seed + 1)),
    };
    this.setFaults(faults);
  }

  async listen(address: string): Promise<void> {
    this.#server.listen(netAddress(address));
    await once(this.#server, "listening");
    const bound = this.#server.address() as AddressInfo | string;
    this.address = typeof bound === "string" ? bound : addressText(bound);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get counts(): Readonly<Record<TcpDirection, StreamCounts>> {
    const { toServer, toClient } = this.#ways;
    return { toServer: { ...toServer.counts }, toClient: { ...toClient.counts } };
  }

  setFaults(faults: StreamFaults, direction?: TcpDirection): void {
    for (const way of this.#waysOf(direction)) way.setFaults(faults);
  }

  hold(direction?: TcpDirection): void {
    for (const way of this.#waysOf(direction)) way.enter("held");
  }

  swallow(direction?: TcpDirection): void {
    for (const way of this.#waysOf(direction)) way.enter("swallowing");
  }

  open(direction?: TcpDirection): void {
    for (const way of this.#waysOf(direction)) way.enter("open");
  }

  leaveHalfOpen(side: "client" | "server"): void {
    for (const connection of this.#connections) {
      connection.isHalfOpen = true;
      connection.toServer.break();
      connection.toClient.break();
      const gone = side === "client" ? connection.server : connection.client;
      gone.resetAndDestroy();
    }
  }

  reset(): void {
    for (const connection of this.#connections) resetBoth(connection);
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.reset();
    await closed;
  }

  #waysOf(direction?: TcpDirection): readonly StreamWay[] {
    return direction === undefined ? Object.values(this.#ways) : [this.#ways[direction]];
  }

  #onClient(client: Socket): void {
    this.acceptedCount += 1;
    const server = connect({ ...this.#to, allowHalfOpen: true });
    const onCut = (): void => resetBoth(connection);
    const connection: Connection = {
      client,
      server,
      toServer: new StreamPipe(client, server, this.#ways.toServer, onCut),
      toClient: new StreamPipe(server, client, this.#ways.toClient, onCut),
      isHalfOpen: false,
    };
    this.#connections.add(connection);
    this.#watch(connection, client, server);
    this.#watch(connection, server, client);
  }

  /** An abrupt end of one socket takes the other with it, unless nobody shall be told. */
  #watch(connection: Connection, socket: Socket, other: Socket): void {
    socket.setNoDelay(true);
    // The close that follows tells.
    socket.on("error", () => {});
    socket.on("close", () => {
      const isInOrder = socket.readableEnded && socket.writableFinished;
      if (!isInOrder && !connection.isHalfOpen && !other.destroyed) other.resetAndDestroy();
      if (!socket.destroyed || !other.destroyed) return;
      connection.toServer.close();
      connection.toClient.close();
      this.#connections.delete(connection);
    });
  }
}

function resetBoth({ client, server }: Connection): void {
  for (const socket of [client, server]) {
    if (!socket.destroyed) socket.resetAndDestroy();
  }
}
