import { readFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer, Server } from "node:net";
import { networkInterfaces } from "node:os";
import type { Link, Listener } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Tcp } from "@msg-ts/transports/tcp";
import { describe, expect, it, onTestFinished, vi } from "vitest";

const { signal } = new AbortController();
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1");

interface Listening {
  readonly listener: Listener;
  readonly accepted: Link[];
  readonly port: number;
}

/** Listens without starting what comes; takes it down when the test is over. */
async function listen(transport: Tcp, address = "127.0.0.1:0"): Promise<Listening> {
  const accepted: Link[] = [];
  const listener = await transport.listen(address, {
    onLink: (link) => accepted.push(link),
    onError: (error) => expect.fail(error.message),
    onRefused: (_, error) => expect.fail(error.message),
  });
  onTestFinished(async () => {
    for (const link of accepted) link.destroy();
    await listener.close();
  });
  return { listener, accepted, port: Number(listener.address.split(":").at(-1)) };
}

async function dial(transport: Tcp, address: string): Promise<Link> {
  const link = await transport.dial(address, signal);
  onTestFinished(() => link.destroy());
  return link;
}

const ignored = { onLink: () => undefined, onError: () => undefined, onRefused: () => undefined };

/** Seconds until the first probe from the socket at this port, both ends; none when it is off. */
function secondsToProbe(port: number): number[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const keepAliveTimer = "02";
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", remote = ""]) => `${local} ${remote}`.includes(`:${hex}`))
    .map(([, , , , , timer = ""]) => timer.split(":"))
    .filter(([kind]) => kind === keepAliveTimer)
    .map(([, ticks = ""]) => Number.parseInt(ticks, 16) / 100);
}

describe("Tcp", () => {
  expectNoLeaks();

  it("asks its host to let 4,096 connections wait to be accepted", async () => {
    const asked = vi.spyOn(Server.prototype, "listen");
    onTestFinished(() => asked.mockRestore());
    await listen(new Tcp());
    expect(asked.mock.calls[0]?.[0]).toMatchObject({ backlog: 4_096 });
  });

  it("finds a free port for port 0, and tells which", async () => {
    const { listener, port } = await listen(new Tcp());
    expect(listener.address).toBe(`127.0.0.1:${port}`);
    expect(port).toBeGreaterThan(0);
  });

  it("takes a host name on both sides", async () => {
    const { listener, accepted, port } = await listen(new Tcp(), "localhost:0");
    expect(listener.address).toMatch(/^(?:127\.0\.0\.1|\[::1\]):\d+$/);
    await dial(new Tcp(), `localhost:${port}`);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
  });

  it.skipIf(!hasIpv6)("listens and dials over IPv6", async () => {
    const { listener, accepted, port } = await listen(new Tcp(), "tcp://[::1]:0");
    expect(listener.address).toBe(`[::1]:${port}`);
    const link = await dial(new Tcp(), listener.address);
    expect(link.remoteAddress).toBe(`[::1]:${port}`);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    expect(accepted[0]?.remoteAddress).toMatch(/^\[::1\]:\d+$/);
  });

  it("listens on every interface as *, and shows IPv4 peers as such", async () => {
    const { listener, accepted, port } = await listen(new Tcp(), "*:0");
    expect(listener.address).toBe(hasIpv6 ? `[::]:${port}` : `0.0.0.0:${port}`);
    await dial(new Tcp(), `127.0.0.1:${port}`);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    expect(accepted[0]?.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    await dial(new Tcp(), listener.address);
    await waitFor(() => accepted.length === 2, { what: "the second link has arrived" });
  });

  it("keeps a wildcard in the address it listens on, and dials it as this host", async () => {
    const { listener, accepted, port } = await listen(new Tcp(), "0.0.0.0:0");
    expect(listener.address).toBe(`0.0.0.0:${port}`);
    const link = await dial(new Tcp(), listener.address);
    expect(link.remoteAddress).toBe(`127.0.0.1:${port}`);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
  });

  it.each(["127.0.0.1:0", "*:4444"])("does not dial %s", async (address) => {
    await expect(new Tcp().dial(address, signal)).rejects.toMatchObject({
      code: "MSG_INVALID_ADDRESS",
      message: expect.stringContaining("for listening only") as string,
    });
  });

  it("tells why it cannot listen", async () => {
    const { listener } = await listen(new Tcp());
    await expect(new Tcp().listen(listener.address, ignored)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: `cannot listen on ${listener.address}: EADDRINUSE`,
      cause: { code: "EADDRINUSE" },
    });
    await expect(new Tcp().listen("192.0.2.1:0", ignored)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      cause: { code: "EADDRNOTAVAIL" },
    });
  });

  it("breaks with MSG_PEER_LOST and the host's error when the peer resets", async () => {
    const { accepted, port } = await listen(new Tcp());
    const client = connect(port, "127.0.0.1");
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    const reasons: unknown[] = [];
    accepted[0]?.start({
      onData: () => undefined,
      onDrain: () => undefined,
      onEnd: () => expect.fail("a reset is no end"),
      onClose: (reason) => reasons.push(reason),
    });
    client.resetAndDestroy();
    await waitFor(() => reasons.length === 1, { what: "the link is closed" });
    expect(reasons[0]).toMatchObject({ code: "MSG_PEER_LOST", cause: { code: "ECONNRESET" } });
  });

  it("tells the end of a link that was reset before it was started", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const link = await dial(new Tcp(), `127.0.0.1:${port}`);
    await waitFor(() => sockets.length === 1, { what: "the server has its connection" });
    sockets[0]?.resetAndDestroy();
    let closed = 0;
    link.start({
      onData: () => undefined,
      onDrain: () => undefined,
      onEnd: () => undefined,
      onClose: () => closed++,
    });
    expect(closed).toBe(0);
    await waitFor(() => closed === 1, { what: "the link is closed" });
  });

  it("destroys a link that was closed before it was started", async () => {
    const { listener } = await listen(new Tcp());
    const link = await new Tcp().dial(listener.address, signal);
    link.destroy();
    expect(link.bufferedBytes).toBe(0);
  });
});

describe.runIf(process.platform === "linux")("keep-alive of Tcp", () => {
  expectNoLeaks();

  it.each([
    { keepAliveMs: undefined, seconds: 10 },
    { keepAliveMs: 30_000, seconds: 30 },
  ])("probes both ends of a silent link after $seconds s", async ({ keepAliveMs, seconds }) => {
    const transport = new Tcp({ keepAliveMs });
    const { listener, accepted, port } = await listen(transport);
    await dial(transport, listener.address);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    const found = secondsToProbe(port);
    expect(found).toHaveLength(2);
    for (const each of found) {
      expect(each).toBeGreaterThan(seconds - 3);
      expect(each).toBeLessThanOrEqual(seconds);
    }
  });

  it("probes nothing when it is Infinity", async () => {
    const transport = new Tcp({ keepAliveMs: Infinity });
    const { listener, accepted, port } = await listen(transport);
    await dial(transport, listener.address);
    await waitFor(() => accepted.length === 1, { what: "the link has arrived" });
    expect(secondsToProbe(port)).toEqual([]);
  });
});
