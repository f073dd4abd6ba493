import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import type { TcpProxyOptions } from "@msg-ts/testing";
import { expectNoLeaks, tcpProxy, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";

expectNoLeaks();

/** One side of a connection, and what it saw. */
interface Side {
  readonly socket: Socket;
  text: string;
  chunkCount: number;
  hasPeerEnded: boolean;
  isClosed: boolean;
  error: string | undefined;
}

function watch(socket: Socket): Side {
  const side: Side = {
    socket,
    text: "",
    chunkCount: 0,
    hasPeerEnded: false,
    isClosed: false,
    error: undefined,
  };
  socket.on("data", (chunk) => {
    side.text += chunk.toString();
    side.chunkCount += 1;
  });
  socket.on("end", () => void (side.hasPeerEnded = true));
  socket.on("error", (error: NodeJS.ErrnoException) => void (side.error = error.code));
  socket.on("close", () => void (side.isClosed = true));
  onTestFinished(() => void socket.destroy());
  return side;
}

/** A server, a proxy before it, and a client that is connected through. */
async function scene(options: Partial<TcpProxyOptions> = {}, host = "127.0.0.1") {
  const servers: Side[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => servers.push(watch(socket)));
  server.listen(0, host);
  await once(server, "listening");
  onTestFinished(async () => {
    for (const { socket } of servers) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  });
  const named = host.includes(":") ? `[${host}]` : host;
  const to = `${named}:${(server.address() as AddressInfo).port}`;
  const proxy = await tcpProxy({ to, listen: `${named}:0`, ...options });
  onTestFinished(() => proxy.close());
  const dial = async (): Promise<{ client: Side; server: Side }> => {
    const at = servers.length;
    const port = Number(proxy.address.split(":").at(-1));
    const client = watch(connect({ port, host, allowHalfOpen: true }));
    await waitFor(() => servers.length > at, { what: "the server has the client" });
    const side = servers[at];
    if (side === undefined) throw new Error("there is no server side");
    return { client, server: side };
  };
  return { proxy, dial, ...(await dial()) };
}

/** Longer than bytes take: what does not happen has no event to wait for. */
async function nothingMore(side: Side): Promise<void> {
  const { text } = side;
  const waiting = waitFor(() => side.text !== text || side.hasPeerEnded || side.isClosed, {
    what: "something comes",
    withinMs: 60,
  });
  await expect(waiting).rejects.toThrow("waited");
}

describe("a TCP proxy", () => {
  for (const host of ["127.0.0.1", "::1"]) {
    it(`moves bytes both ways, and the end of each side: ${host}`, async () => {
      const { proxy, client, server } = await scene({}, host);
      client.socket.end("ping");
      await waitFor(() => server.hasPeerEnded, { what: "the server hears of the end" });
      server.socket.end("pong!");
      await waitFor(() => client.isClosed, { what: "the client is closed" });
      expect([server.text, client.text]).toEqual(["ping", "pong!"]);
      expect(proxy.counts.toServer).toMatchObject({ receivedBytes: 4, sentBytes: 4, cuts: 0 });
      expect(proxy.counts.toClient).toMatchObject({ receivedBytes: 5, sentBytes: 5 });
      await waitFor(() => proxy.connectionCount === 0, { what: "the proxy forgot it" });
    });
  }

  it("delays bytes and keeps their order in spite of jitter", async () => {
    const { client, server } = await scene({ faults: { delayMs: 30, jitterMs: 20 } });
    const startMs = performance.now();
    client.socket.write("a");
    client.socket.write("b");
    setTimeout(() => client.socket.end("c"), 5);
    await waitFor(() => server.hasPeerEnded, { what: "all came" });
    expect(server.text).toBe("abc");
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
  });

  it("carries no more than its rate", async () => {
    const { client, server } = await scene({ faults: { bytesPerSecond: 1_000_000 } });
    const startMs = performance.now();
    client.socket.end("x".repeat(200_000));
    await waitFor(() => server.hasPeerEnded, { what: "all came" });
    expect(server.text.length).toBe(200_000);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(195);
  });

  it("splits into short writes, of one byte too", async () => {
    const { client, server, proxy } = await scene({ faults: { maxWriteBytes: 1 } });
    client.socket.end("short writes");
    await waitFor(() => server.hasPeerEnded, { what: "all came" });
    expect(server.text).toBe("short writes");
    expect(proxy.counts.toServer.writes).toBe(12);
  });

  it("cuts after so many bytes: those arrive, then both ends are cut off", async () => {
    const { client, server, proxy, dial } = await scene();
    proxy.setFaults({ cutAfterBytes: 4 }, "toServer");
    client.socket.write("123456");
    // A reset that finds bytes unread is told by Linux as an end behind them.
    const isServerTold = (): boolean => server.isClosed || server.hasPeerEnded;
    await waitFor(() => isServerTold() && client.isClosed, { what: "both are cut" });
    expect([server.text, client.error]).toEqual(["1234", "ECONNRESET"]);
    expect(proxy.counts.toServer.cuts).toBe(1);
    proxy.setFaults({});
    const next = await dial();
    next.client.socket.write("123456");
    await waitFor(() => next.server.text === "123456", { what: "the next one is whole" });
  });

  it("holds one way and not the other, and gives all behind that", async () => {
    const { client, server, proxy } = await scene();
    proxy.hold("toServer");
    client.socket.write("held");
    server.socket.write("not held");
    await waitFor(() => client.text === "not held", { what: "the other way is open" });
    await nothingMore(server);
    proxy.open();
    await waitFor(() => server.text !== "", { what: "it came" });
    expect(server.text).toBe("held");
  });

  it("takes no more than its queue of a sender while it holds", async () => {
    const { client, server, proxy } = await scene({ faults: { queueBytes: 65_536 } });
    proxy.hold();
    const bytes = 16_777_216;
    client.socket.write("x".repeat(bytes));
    await waitFor(() => proxy.counts.toServer.receivedBytes > 65_536, { what: "it is full" });
    // One read more than the queue.
    expect(proxy.counts.toServer.receivedBytes).toBeLessThanOrEqual(65_536 * 2);
    proxy.open();
    await waitFor(() => server.text.length === bytes, { what: "all came" });
    expect(proxy.counts.toServer.sentBytes).toBe(bytes);
  });

  it("swallows one way: what is gone stays gone, and nothing follows it", async () => {
    const { client, server, proxy, dial } = await scene();
    proxy.swallow("toServer");
    client.socket.write("lost");
    await waitFor(() => proxy.counts.toServer.swallowedBytes === 4, { what: "it is swallowed" });
    server.socket.write("answer");
    await waitFor(() => client.text === "answer", { what: "the other way is open" });
    proxy.open();
    client.socket.write("more");
    await waitFor(() => proxy.counts.toServer.swallowedBytes === 8, { what: "this is too" });
    await nothingMore(server);
    const next = await dial();
    next.client.socket.write("whole");
    await waitFor(() => next.server.text === "whole", { what: "a new one carries" });
    expect(server.text).toBe("");
  });

  for (const side of ["client", "server"] as const) {
    it(`leaves the ${side} half-open: its peer is gone and it is not told`, async () => {
      const { client, server, proxy } = await scene();
      const [left, gone] = side === "client" ? [client, server] : [server, client];
      proxy.leaveHalfOpen(side);
      await waitFor(() => gone.isClosed, { what: "the other is gone" });
      left.socket.write("is anybody there");
      await nothingMore(left);
      proxy.reset();
      await waitFor(() => left.isClosed, { what: "now it is told" });
      await waitFor(() => proxy.connectionCount === 0, { what: "the proxy forgot it" });
      expect(left.text).toBe("");
    });
  }

  it("passes on an abrupt end, from either side", async () => {
    for (const first of ["client", "server"] as const) {
      const { client, server } = await scene();
      const [gone, left] = first === "client" ? [client, server] : [server, client];
      gone.socket.resetAndDestroy();
      await waitFor(() => left.isClosed, { what: "the other side hears" });
      expect(left.error).toBe("ECONNRESET");
    }
  });

  it("frees its address when it is closed, and closes what stands", async () => {
    const { client, proxy } = await scene();
    await proxy.close();
    await proxy.close();
    await waitFor(() => client.isClosed, { what: "the client is reset" });
    const again = await tcpProxy({ to: "127.0.0.1:1", listen: proxy.address });
    onTestFinished(() => again.close());
    expect(again.address).toBe(proxy.address);
    const refused = watch(connect(Number(again.address.split(":").at(-1)), "127.0.0.1"));
    await waitFor(() => refused.isClosed, { what: "a server that is not there ends it" });
  });

  it("refuses faults that are out of range, and names them", async () => {
    const { proxy } = await scene();
    expect(() => proxy.setFaults({ maxWriteBytes: 0 })).toThrow("maxWriteBytes is 0, must be 1");
  });
});
