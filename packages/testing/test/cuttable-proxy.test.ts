import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CuttableProxyOptions } from "@msg-ts/testing";
import { cuttableProxy, expectNoLeaks, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";

expectNoLeaks();

/** One side of a connection, and what it saw. */
interface Side {
  readonly socket: Socket;
  text: string;
  hasPeerEnded: boolean;
  isClosed: boolean;
}

function watch(socket: Socket): Side {
  const side: Side = { socket, text: "", hasPeerEnded: false, isClosed: false };
  socket.on("data", (chunk) => {
    side.text += chunk.toString();
  });
  socket.on("end", () => {
    side.hasPeerEnded = true;
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    side.isClosed = true;
  });
  onTestFinished(() => {
    socket.destroy();
  });
  return side;
}

/** A server with a proxy before it; both are gone when the test is. */
async function proxied(path?: string) {
  const servers: Side[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => servers.push(watch(socket)));
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(path, resolve);
  });
  onTestFinished(async () => {
    for (const { socket } of servers) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  });
  const to = path ?? `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options: CuttableProxyOptions =
    path === undefined ? { to } : { to, listen: `${path}.proxy` };
  const proxy = await cuttableProxy(options);
  onTestFinished(() => proxy.close());
  const dial = (): Side => {
    const target =
      path === undefined
        ? { host: "127.0.0.1", port: Number(proxy.address.split(":")[1]) }
        : { path: proxy.address };
    return watch(connect({ ...target, allowHalfOpen: true }));
  };
  return { proxy, servers, dial };
}

/** The same with one client that is connected through. */
async function connected(path?: string) {
  const scene = await proxied(path);
  const client = scene.dial();
  await waitFor(() => scene.servers.length === 1, { what: "the server has the client" });
  const [server] = scene.servers;
  if (server === undefined) throw new Error("there is no server side");
  return { ...scene, client, server };
}

async function socketPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "msg-ts-proxy-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "s");
}

describe("a cuttable proxy", () => {
  it("moves bytes both ways, over TCP and over a path", async () => {
    for (const path of [undefined, await socketPath()]) {
      const { proxy, client, server } = await connected(path);
      client.socket.write("ping");
      await waitFor(() => server.text === "ping", { what: "the server has the bytes" });
      server.socket.write("pong");
      await waitFor(() => client.text === "pong", { what: "the client has the bytes" });
      expect(proxy.movedBytes).toBe(8);
      expect(proxy.connectionCount).toBe(1);
    }
  });

  it("passes on the end of one side, and leaves the other way open", async () => {
    const { client, server, proxy } = await connected();
    client.socket.end("last");
    await waitFor(() => server.hasPeerEnded, { what: "the server hears of the end" });
    expect(server.text).toBe("last");
    server.socket.end("answer");
    await waitFor(() => client.isClosed, { what: "the client is closed" });
    expect(client.text).toBe("answer");
    await waitFor(() => proxy.connectionCount === 0, { what: "the proxy forgot it" });
  });

  it("passes on an abrupt end, from either side", async () => {
    for (const first of ["client", "server"] as const) {
      const { client, server } = await connected();
      const [gone, left] = first === "client" ? [client, server] : [server, client];
      gone.socket.resetAndDestroy();
      await waitFor(() => left.hasPeerEnded || left.isClosed, { what: "the other side hears" });
      expect(left.text).toBe("");
    }
  });

  it("cuts: both sides see the connection end, and a new one may come", async () => {
    const { proxy, client, server, dial, servers } = await connected();
    proxy.cut();
    await waitFor(() => client.hasPeerEnded || client.isClosed, { what: "the client sees it" });
    await waitFor(() => server.hasPeerEnded || server.isClosed, { what: "the server sees it" });
    dial();
    await waitFor(() => servers.length === 2, { what: "a new one comes through" });
    expect(proxy.acceptedCount).toBe(2);
  });

  it("stalls: nothing moves either way and nobody is told, until it is resumed", async () => {
    const { proxy, client, server, dial, servers } = await connected();
    proxy.stall();
    client.socket.write("to server");
    server.socket.write("to client");
    const late = dial();
    late.socket.write("late");
    await waitFor(() => servers.length === 2, { what: "the late client is accepted" });
    const { movedBytes } = proxy;
    // Longer than bytes take: a fact about what does not happen has no event to wait for.
    await expect(
      waitFor(() => proxy.movedBytes !== movedBytes, { what: "bytes move", withinMs: 50 }),
    ).rejects.toThrow("waited");
    expect([client.text, server.text, servers[1]?.text]).toEqual(["", "", ""]);
    expect([client.isClosed, client.hasPeerEnded]).toEqual([false, false]);
    proxy.resume();
    await waitFor(() => server.text === "to server", { what: "the server has the bytes" });
    await waitFor(() => client.text === "to client", { what: "the client has the bytes" });
    await waitFor(() => servers[1]?.text === "late", { what: "the late bytes came" });
  });

  it("refuses: a new connection ends at once and never reaches the server", async () => {
    const { proxy, servers, dial, client } = await connected();
    proxy.refuse();
    const refused = dial();
    await waitFor(() => refused.hasPeerEnded || refused.isClosed, { what: "it is refused" });
    expect(servers.length).toBe(1);
    expect(client.isClosed).toBe(false);
    proxy.accept();
    dial();
    await waitFor(() => servers.length === 2, { what: "the next one is taken" });
  });

  it("moves more than any buffer holds, without loss", async () => {
    const { client, server } = await connected();
    const megabytes = 8;
    for (let count = 0; count < megabytes; count++) client.socket.write("x".repeat(1_000_000));
    await waitFor(() => server.text.length === megabytes * 1_000_000, { what: "all of it came" });
    expect(server.text.length).toBe(8_000_000);
  });

  it("frees its address when it is closed", async () => {
    const { proxy, client, dial } = await connected();
    await proxy.close();
    await waitFor(() => client.hasPeerEnded || client.isClosed, { what: "the client is cut" });
    const refused = dial();
    await waitFor(() => refused.isClosed, { what: "nobody listens" });
    expect(refused.text).toBe("");
  });

  it("ends a connection whose server cannot be reached", async () => {
    const proxy = await cuttableProxy({ to: "127.0.0.1:1" });
    onTestFinished(() => proxy.close());
    const client = watch(connect(Number(proxy.address.split(":")[1]), "127.0.0.1"));
    await waitFor(() => client.hasPeerEnded || client.isClosed, { what: "the client hears" });
    expect(client.text).toBe("");
  });
});
