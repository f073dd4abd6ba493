import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { netAddress } from "./net-address.ts";

/** Between whom a {@link CuttableProxy} stands. */
export interface CuttableProxyOptions {
  /** Where the real listener is: `host:port`, or the path of a Unix socket or pipe. */
  readonly to: string;
  /** Where clients connect. @defaultValue "127.0.0.1:0" */
  readonly listen?: string;
}

/** A real proxy on which a test lets the network fail. */
export interface CuttableProxy {
  /** Where clients connect, in the form of {@link CuttableProxyOptions.listen}. */
  readonly address: string;
  /** Connections that stand now. */
  readonly connectionCount: number;
  /** Connections that ever came, refused ones too. */
  readonly acceptedCount: number;
  /** Bytes moved so far, both ways. */
  readonly movedBytes: number;
  /** Destroys every connection at both ends: clients and server see it end. New ones may come. */
  cut(): void;
  /** Moves no bytes any more, either way, on present and later connections; nobody is told. */
  stall(): void;
  /** Ends {@link stall}. */
  resume(): void;
  /** From now on closes each new connection as soon as it is accepted, as a full server does. */
  refuse(): void;
  /** Ends {@link refuse}. */
  accept(): void;
  /** Cuts everything and frees the address. */
  close(): Promise<void>;
}

/** Listens and forwards. Resolves when clients may connect. */
export async function cuttableProxy(options: CuttableProxyOptions): Promise<CuttableProxy> {
  const proxy = new NetProxy(options.to);
  await proxy.listen(options.listen ?? "127.0.0.1:0");
  return proxy;
}

class NetProxy implements CuttableProxy {
  address = "";
  acceptedCount = 0;
  movedBytes = 0;
  readonly #to: ReturnType<typeof netAddress>;
  readonly #server: Server;
  /** Both sockets of every connection, by its client's. */
  readonly #connections: Map<Socket, Socket> = new Map();
  #isStalled = false;
  #isRefusing = false;

  constructor(to: string) {
    this.#to = netAddress(to);
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#onClient(client));
  }

  listen(address: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(netAddress(address), () => {
        const bound = this.#server.address() as AddressInfo | string;
        this.address = typeof bound === "string" ? bound : `127.0.0.1:${bound.port}`;
        resolve();
      });
    });
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  cut(): void {
    for (const [client, server] of this.#connections) {
      client.destroy();
      server.destroy();
    }
  }

  stall(): void {
    this.#isStalled = true;
    for (const socket of this.#sockets()) socket.pause();
  }

  resume(): void {
    this.#isStalled = false;
    for (const socket of this.#sockets()) socket.resume();
  }

  refuse(): void {
    this.#isRefusing = true;
  }

  accept(): void {
    this.#isRefusing = false;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.cut();
    await closed;
  }

  *#sockets(): Generator<Socket> {
    for (const [client, server] of this.#connections) {
      yield client;
      yield server;
    }
  }

  #onClient(client: Socket): void {
    this.acceptedCount++;
    if (this.#isRefusing) {
      client.on("error", () => {});
      client.destroy();
      return;
    }
    const server = connect({ ...this.#to, allowHalfOpen: true });
    this.#connections.set(client, server);
    this.#forward(client, server);
    this.#forward(server, client);
    client.once("close", () => this.#connections.delete(client));
  }

  /** Moves bytes and the end one way; an abrupt end takes the other socket with it. */
  #forward(from: Socket, to: Socket): void {
    from.setNoDelay(true);
    from.on("data", (chunk) => {
      this.movedBytes += chunk.length;
      if (!to.write(chunk)) from.pause();
    });
    to.on("drain", () => {
      if (!this.#isStalled) from.resume();
    });
    from.on("end", () => to.end());
    // The close that follows tells.
    from.on("error", () => {});
    from.on("close", () => {
      if (!(from.readableEnded && from.writableFinished)) to.destroy();
    });
    if (this.#isStalled) from.pause();
  }
}
