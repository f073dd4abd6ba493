import type { RemoteInfo, Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { UdpProxyOptions } from "@msg-ts/testing";
import { expectNoLeaks, udpProxy, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";

expectNoLeaks();

type Family = "udp4" | "udp6";

/** A bound socket and what came to it. */
async function bound(family: Family) {
  const socket = createSocket(family);
  const heard: { readonly text: string; readonly from: RemoteInfo }[] = [];
  socket.on("message", (datagram, from) => heard.push({ text: datagram.toString(), from }));
  socket.bind(0, family === "udp6" ? "::1" : "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return { socket, heard, port: socket.address().port };
}

/** A server that echoes, a proxy before it, and clients of the proxy. */
async function scene(family: Family = "udp4", options: Partial<UdpProxyOptions> = {}) {
  const server = await bound(family);
  server.socket.on("message", (datagram, { port, address }) => {
    server.socket.send(`echo ${datagram.toString()}`, port, address);
  });
  const host = family === "udp6" ? "[::1]" : "127.0.0.1";
  const proxy = await udpProxy({ to: `${host}:${server.port}`, ...options });
  onTestFinished(() => proxy.close());
  const [, address = "", port = ""] = /^(.*):(\d+)$/.exec(proxy.address) ?? [];
  const say = (socket: Socket, text: string): void =>
    socket.send(text, Number(port), address.replaceAll(/[[\]]/g, ""));
  return { server, proxy, say, client: () => bound(family) };
}

function texts({ heard }: { readonly heard: readonly { readonly text: string }[] }): string[] {
  return heard.map(({ text }) => text);
}

describe("a UDP proxy", () => {
  for (const family of ["udp4", "udp6"] as const) {
    it(`carries datagrams to and fro, each client's to it alone: ${family}`, async () => {
      const { say, client, server, proxy } = await scene(family);
      const clients = [await client(), await client()];
      clients.forEach(({ socket }, index) => {
        say(socket, `${index} a`);
        say(socket, `${index} b`);
      });
      await waitFor(() => clients.every(({ heard }) => heard.length === 2), { what: "all came" });
      clients.forEach((each, index) =>
        expect(texts(each)).toEqual([`echo ${index} a`, `echo ${index} b`]),
      );
      expect(new Set(server.heard.map(({ from }) => from.port)).size).toBe(2);
      expect(proxy.clientCount).toBe(2);
      expect(proxy.counts.toServer).toMatchObject({ received: 4, sent: 4, sentBytes: 12 });
      expect(proxy.counts.toClient).toMatchObject({ received: 4, sent: 4, sentBytes: 32 });
    });
  }

  it("drops one way and not the other", async () => {
    const { say, client, server, proxy } = await scene();
    const { socket, heard } = await client();
    proxy.block("toClient");
    say(socket, "one");
    await waitFor(() => server.heard.length === 1 && proxy.counts.toClient.blocked === 1, {
      what: "it came there, and the answer did not come back",
    });
    proxy.open("toClient");
    say(socket, "two");
    await waitFor(() => heard.length === 1, { what: "the second answer came" });
    expect(heard[0]?.text).toBe("echo two");
  });

  it("stalls both ways, and gives all behind that", async () => {
    const { say, client, server, proxy } = await scene();
    const { socket, heard } = await client();
    proxy.stall();
    say(socket, "one");
    await waitFor(() => proxy.waitingCount === 1, { what: "it is kept back" });
    expect(server.heard).toEqual([]);
    proxy.open();
    await waitFor(() => heard.length === 1, { what: "the answer came" });
    expect(heard[0]?.text).toBe("echo one");
  });

  it("has the faults of each way apart", async () => {
    const { say, client, server, proxy } = await scene();
    const { socket, heard } = await client();
    proxy.setFaults({ duplicatePercent: 100 }, "toServer");
    say(socket, "one");
    await waitFor(() => heard.length === 2, { what: "both answers came" });
    expect(texts(server)).toEqual(["one", "one"]);
    expect(proxy.counts.toClient.duplicated).toBe(0);
    proxy.setFaults({ lossPercent: 100 });
    say(socket, "two");
    await waitFor(() => proxy.counts.toServer.lost === 1, { what: "it is lost" });
  });

  it("changes its ports towards the server: answers to the old one are lost", async () => {
    const { say, client, server, proxy } = await scene();
    const { socket, heard } = await client();
    say(socket, "one");
    await waitFor(() => heard.length === 1, { what: "the answer came" });
    await proxy.changePorts();
    const old = server.heard[0]?.from.port ?? 0;
    server.socket.send("to the old port", old, "127.0.0.1");
    say(socket, "two");
    await waitFor(() => heard.length === 2, { what: "the second answer came" });
    expect(server.heard[1]?.from.port).not.toBe(old);
    expect(texts({ heard })).toEqual(["echo one", "echo two"]);
    expect(proxy.portChangeCount).toBe(1);
  });

  it("forgets the client that was silent longest when it has too many", async () => {
    const { say, client, proxy } = await scene("udp4", { maxClients: 2 });
    const clients = [await client(), await client(), await client()];
    for (const { socket, heard } of clients) {
      say(socket, "here");
      await waitFor(() => heard.length === 1, { what: "the answer came" });
    }
    expect(proxy.clientCount).toBe(2);
    const [first] = clients;
    if (first === undefined) throw new Error("there is no client");
    say(first.socket, "again");
    await waitFor(() => first.heard.length === 2, { what: "the forgotten one is served again" });
  });

  it("carries the largest datagram that there is, and an empty one", async () => {
    const { say, client, server, proxy } = await scene();
    const { socket, heard } = await client();
    say(socket, "x".repeat(65_507 - "echo ".length));
    await waitFor(() => heard.length === 1, { what: "the answer came" });
    say(socket, "");
    await waitFor(() => heard.length === 2, { what: "the second answer came" });
    expect(texts(server).map(({ length }) => length)).toEqual([65_502, 0]);
    expect(proxy.counts.toClient).toMatchObject({ sent: 2, sentBytes: 65_507 + 5 });
  });

  it("lives on when nobody listens behind it, and frees its address when it is closed", async () => {
    const { proxy, say, client } = await scene();
    const deserted = await udpProxy({ to: "127.0.0.1:1" });
    onTestFinished(() => deserted.close());
    const { socket } = await client();
    const port = Number(deserted.address.split(":").at(-1));
    for (let count = 0; count < 3; count++) {
      socket.send("hello", port, "127.0.0.1");
      await waitFor(() => deserted.counts.toServer.received === count + 1, { what: "it came" });
    }
    await waitFor(() => deserted.failedSendCount > 0, { what: "the system told" });
    await proxy.close();
    await proxy.close();
    const again = await udpProxy({ to: "127.0.0.1:1", listen: proxy.address });
    onTestFinished(() => again.close());
    expect(again.address).toBe(proxy.address);
    say(socket, "to the next one");
    await waitFor(() => again.counts.toServer.received === 1, { what: "the address is its" });
  });
});
