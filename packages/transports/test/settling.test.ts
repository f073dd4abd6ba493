import type { Transport } from "@msg-ts/core";
import { RepSocket, ReqSocket } from "@msg-ts/core";
import { expectNoLeaks, tcpProxy, udpProxy, waitFor } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import { Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { Settling } from "../src/settling.ts";
import { authority, clientIdentity, listen, serverIdentity } from "./tls-scene.ts";

describe("Settling", () => {
  it("resolves at once when nothing is under way", async () => {
    await expect(new Settling<number>().wait([], 60_000)).resolves.toBeUndefined();
  });

  it("waits for all that was under way, and for nothing that came later", async () => {
    const settling = new Settling<number>();
    let isOver = false;
    const waiting = settling.wait([1, 2], 60_000).then(() => (isOver = true));
    for (const one of [3, 1]) settling.settled(one);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    settling.settled(2);
    await waiting;
  });

  it("waits no longer than it was told, nor when it is cleared", async () => {
    const settling = new Settling<number>();
    await expect(settling.wait([1], 1)).resolves.toBeUndefined();
    const waiting = settling.wait([1], 60_000);
    settling.clear();
    await expect(waiting).resolves.toBeUndefined();
  });
});

interface Row {
  readonly name: string;
  readonly server: () => Transport;
  readonly client: () => Transport;
  readonly proxy: typeof tcpProxy | typeof udpProxy;
}

const rows: readonly Row[] = [
  {
    name: "TLS",
    server: () => new Tls(serverIdentity),
    client: () => new Tls({ ca: authority.cert }),
    proxy: tcpProxy,
  },
  {
    name: "TLS with client certificates",
    server: () =>
      new Tls({ ...serverIdentity, ca: authority.cert, clientCertificates: "required" }),
    client: () => new Tls({ ca: authority.cert, ...clientIdentity }),
    proxy: tcpProxy,
  },
  {
    name: "QUIC",
    server: () => new Quic(serverIdentity),
    client: () => new Quic({ ca: authority.cert }),
    proxy: udpProxy,
  },
];

describe("a server that drains while the last words of a handshake are under way", () => {
  expectNoLeaks({ withinMs: 5_000 });

  it.each(rows)("answers what was asked with them, over $name", async (row) => {
    const rep = new RepSocket(row.server());
    rep.serve((request) => request.payload);
    const proxy = await row.proxy({ to: await rep.bind("127.0.0.1:0") });
    proxy.setFaults({ delayMs: 150 }, "toServer");
    const req = new ReqSocket(row.client());
    onTestFinished(async () => {
      await Promise.all([req.close({ lingerMs: 0 }), rep.close({ lingerMs: 0 })]);
      await proxy.close();
    });
    let goodbyes = 0;
    req.on("draining", () => goodbyes++);
    await req.connect(proxy.address);
    await req.ready();
    expect(rep.peers).toEqual([]);
    const answer = req.request("asked in time");
    const { isComplete } = await rep.drain();
    expect([(await answer).text(), isComplete, goodbyes]).toEqual(["asked in time", true, 1]);
  });
});

describe("a listener that settles", () => {
  expectNoLeaks({ withinMs: 5_000 });

  it.each(rows)(
    "has its time, and not when it is closed: $name",
    async ({ server, client, proxy }) => {
      const listening = await listen(server());
      const between = await proxy({ to: listening.address });
      onTestFinished(() => between.close());
      const dialing = new AbortController();
      const dialed = client().dial(between.address, dialing.signal);
      // What a client says first comes through, and nothing else.
      await waitFor(() => between.counts.toServer.sentBytes > 0, { what: "it has begun" });
      between.setFaults({ delayMs: 60_000 }, "toServer");
      await listening.listener.settle?.(50);
      const settled = listening.listener.settle?.(60_000);
      await listening.listener.close();
      await expect(settled).resolves.toBeUndefined();
      dialing.abort();
      await dialed.then((link) => link.destroy()).catch(() => {});
    },
  );
});
