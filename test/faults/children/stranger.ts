/** A program that has nothing to do with us, where our server should be. */
import { createSocket } from "node:dgram";
import { rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { ListenOptions, Server, Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { onOrders, settings, tellReady } from "../child-side.ts";
import type { StrangerSettings } from "../roles.ts";

const { kind, addresses, certificate } = settings() as StrangerSettings;
const counts = { connections: 0 };

function onSocket(socket: Socket): void {
  counts.connections++;
  socket.on("error", () => {});
  socket.resume();
}

function makeServer(): Server {
  switch (kind) {
    case "mute":
      return createServer(onSocket);
    case "http":
      return createHttpServer((_request, response) => void response.end("hello")).on(
        "connection",
        onSocket,
      );
    default: {
      const server = createTlsServer({ ...certificate });
      server.on("tlsClientError", () => {});
      return server.on("connection", onSocket);
    }
  }
}

function whereOf(address: string): ListenOptions {
  if (address.startsWith("/")) {
    // What a killed server left.
    rmSync(address, { force: true });
    return { path: address };
  }
  const [host = "", port = ""] = address.split(":");
  return { host, port: Number(port) };
}

function listen(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (kind === "udp") {
      const [host = "", port = ""] = address.split(":");
      const socket = createSocket("udp4", () => counts.connections++);
      socket.once("error", reject).bind(Number(port), host, resolve);
      return;
    }
    const server = makeServer();
    server.once("error", reject);
    server.listen(whereOf(address), resolve);
  });
}

await Promise.all(addresses.map(listen));
onOrders({});
tellReady({}, () => counts);
