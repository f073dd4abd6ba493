import { createSocket } from "node:dgram";
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expectNoLeaks, seededRandom, udpProxy, waitFor } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import { describe, expect, it, onTestFinished } from "vitest";
import { PathMtu } from "../src/quic/path-mtu.ts";
import { PeerStreams } from "../src/quic/peer-streams.ts";
import { RetryTokens } from "../src/quic/retry-tokens.ts";
import { heardAll, linkOver, quicPair, roundTrip, say } from "./quic-scene.ts";
import { dial, dialFailure, listen, serverIdentity } from "./tls-scene.ts";

const mebibyte = 1024 * 1024;

describe("Quic", { timeout: 60_000 }, () => {
  expectNoLeaks({ withinMs: 5_000 });

  it.each(["[::1]:0", "*:0", "localhost:0"])(
    "listens on %s, and is dialed there",
    async (address) => {
      const transport = new Quic();
      const listening = await listen(transport, address);
      const dialing = new Quic({ pins: transport.pin });
      const { dialed, accepted } = await linkOver(dialing, listening, listening.address);
      await roundTrip(dialed, accepted, "question");
      expect(listening.refused).toEqual([]);
    },
  );

  it("takes peers of both families on every interface, and calls them by their own addresses", async () => {
    const transport = new Quic();
    const listening = await listen(transport, "*:0");
    const dialing = new Quic({ pins: transport.pin });
    const four = await linkOver(dialing, listening, `127.0.0.1:${listening.port}`);
    const six = await linkOver(dialing, listening, `[::1]:${listening.port}`);
    expect(four.accepted.link.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(six.accepted.link.remoteAddress).toMatch(/^\[::1\]:\d+$/);
  });

  it("carries the links of one instance to one address on one connection, those of another on another", async () => {
    const { dialing, listening, proxy } = await quicPair();
    for (let count = 0; count < 3; count++) await linkOver(dialing, listening, proxy.address);
    expect(proxy.clientCount).toBe(1);
    const names = listening.links.map(({ link }) => link.remoteAddress);
    expect(names.map((name) => /#\d+$/.exec(name)?.[0])).toEqual([undefined, "#1", "#2", "#3"]);
  });

  it("leaves the other links of a connection alone when one is destroyed", async () => {
    const { dialing, listening, proxy, dialed, accepted } = await quicPair();
    const other = await linkOver(dialing, listening, proxy.address);
    accepted.link.setReading(false);
    dialed.link.write([new Uint8Array(32 * mebibyte)]);
    dialed.link.destroy();
    await waitFor(() => accepted.isClosed, { what: "the other end of it knows" });
    expect(accepted.reason).toMatchObject({ code: "MSG_PEER_LOST" });
    await roundTrip(other.dialed, other.accepted, "still here");
  });

  it("tells a reader that had stopped of the end when it goes on, also when nothing came before", async () => {
    const { dialed, accepted } = await quicPair();
    accepted.link.setReading(false);
    dialed.link.end();
    say(accepted, "I have stopped");
    await heardAll(dialed, "I have stopped".length);
    await pause(50);
    expect(accepted.hasPeerEnded).toBe(false);
    accepted.link.setReading(true);
    await waitFor(() => accepted.hasPeerEnded, { what: "the end was told" });
  });

  it("is answered on one link while another of the same connection is full", async () => {
    const { dialing, listening, proxy, dialed, accepted } = await quicPair();
    accepted.link.setReading(false);
    dialed.link.write([new Uint8Array(32 * mebibyte)]);
    const other = await linkOver(dialing, listening, proxy.address);
    await roundTrip(other.dialed, other.accepted, "question");
    expect(dialed.link.bufferedBytes).toBeGreaterThan(16 * mebibyte);
  });

  it("is not held to account for what links brought that are gone", async () => {
    const { dialing, listening, proxy, dialed, accepted } = await quicPair();
    const staying = await linkOver(dialing, listening, proxy.address);
    for (const end of [dialed, accepted]) {
      const bulk = "x".repeat(16 * mebibyte);
      const before = accepted.text.length + dialed.text.length;
      say(end, bulk);
      const total = before + bulk.length;
      const what = "the bulk came";
      await waitFor(() => accepted.text.length + dialed.text.length >= total, { what });
    }
    dialed.link.end();
    accepted.link.end();
    await waitFor(() => dialed.isClosed && accepted.isClosed, { what: "the link is gone" });
    // So many datagrams that both ends have looked again at what there was.
    for (let count = 0; count < 600; count++) {
      await roundTrip(staying.dialed, staying.accepted, "?");
    }
    expect([staying.dialed, staying.accepted].map(({ reason }) => reason)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it("does not open a link on a connection whose server was started anew", async () => {
    const { dialing, listening, proxy, accepted, dialed } = await quicPair({
      listening: serverIdentity,
      dialing: { pins: new Quic(serverIdentity).pin },
    });
    proxy.block();
    accepted.link.destroy();
    await listening.listener.close();
    await waitFor(() => accepted.isClosed, { what: "the old listener is gone" });
    const again = await listen(new Quic(serverIdentity), listening.address);
    await pause(600);
    proxy.open();
    expect(dialed.isClosed).toBe(false);
    await linkOver(dialing, again, proxy.address);
    await waitFor(() => dialed.isClosed, { what: "the old link is closed too" });
    expect(dialed.reason).toMatchObject({ code: "MSG_PEER_LOST" });
  });

  it("has a UDP port again at once, though links that came to it live", async () => {
    const transport = new Quic();
    const first = await listen(transport);
    const dialing = new Quic({ pins: transport.pin });
    const old = await linkOver(dialing, first, first.address);
    await first.listener.close();
    const second = await listen(transport, first.address);
    await linkOver(dialing, second, first.address);
    await roundTrip(old.dialed, old.accepted, "question");
    await expect(listen(transport, first.address)).rejects.toThrow("EADDRINUSE");
  });

  it("goes on from another socket when nothing comes back on the one that it has", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    await roundTrip(dialed, accepted, "before");
    proxy.block("toClient");
    say(dialed, "anybody?");
    await waitFor(() => proxy.clientCount === 2, {
      what: "another one was tried",
      withinMs: 15_000,
    });
    proxy.open();
    await roundTrip(dialed, accepted, "after");
    expect(dialed.isClosed).toBe(false);
  });

  it("is not ended by a notice that anybody could have made", async () => {
    const { proxy, dialed, accepted, listening } = await quicPair();
    // Whoever saw a packet can answer it: the listener that another endpoint asks about it does.
    const other = await listen(new Quic());
    const forger = createSocket("udp4");
    onTestFinished(() => void forger.close());
    const seen: Buffer[] = [];
    forger.on("message", (datagram) => seen.push(datagram));
    await new Promise<void>((resolve) => {
      forger.bind(0, "127.0.0.1", resolve);
    });
    forger.send(Buffer.concat([Buffer.of(0x40), randomBytes(40)]), other.port, "127.0.0.1");
    await waitFor(() => seen.length === 1, { what: "a notice came" });
    expect(seen[0]?.length).toBeLessThan(41);
    forger.send(seen[0] ?? "", listening.port, "127.0.0.1");
    await roundTrip(dialed, accepted, "still here");
    expect(proxy.clientCount).toBe(1);
  });

  it("speaks as msg-rs does: one link for each connection, closed with it, and no verification", async () => {
    const transport = new Quic({ compat: "msg-rs" });
    const listening = await listen(transport);
    const dialing = new Quic({ compat: "msg-rs" });
    const proxy = await udpProxy({ to: listening.address });
    onTestFinished(() => proxy.close());
    const first = await linkOver(dialing, listening, proxy.address);
    const second = await linkOver(dialing, listening, proxy.address);
    expect(proxy.clientCount).toBe(2);
    expect(first.dialed.link.certificate).toMatchObject({ authorized: false });
    await roundTrip(second.dialed, second.accepted, "question");
    first.dialed.link.end();
    await waitFor(() => first.accepted.hasPeerEnded, { what: "its end was told" });
    first.accepted.link.end();
    await waitFor(() => first.dialed.isClosed && first.accepted.isClosed, { what: "it is closed" });
    expect([first.dialed.reason, first.accepted.reason]).toEqual([undefined, undefined]);
    const pinned = new Quic({ compat: "msg-rs", pins: new Quic().pin });
    const error = await dialFailure(pinned, listening.address);
    expect(error.message).toContain("is none of pins");
  });

  it("fills no datagram of a handshake up beyond what every path carries", async () => {
    const { proxy } = await quicPair();
    const { toServer, toClient } = proxy.counts;
    expect(
      Math.max(toServer.sentBytes / toServer.sent, toClient.sentBytes / toClient.sent),
    ).toBeLessThanOrEqual(1_200);
  });

  it("finds out how large datagrams may be, and sends no larger ones than it is told", async () => {
    const free = await quicPair();
    free.dialed.link.write([new Uint8Array(20 * mebibyte)]);
    await heardAll(free.accepted, 20 * mebibyte, 30_000);
    const { sent, sentBytes } = free.proxy.counts.toServer;
    expect(sentBytes / sent).toBeGreaterThan(3_000);
    const bound = await quicPair({ dialing: { maxDatagramBytes: 1_300 } });
    bound.dialed.link.write([new Uint8Array(mebibyte)]);
    await heardAll(bound.accepted, mebibyte);
    const small = bound.proxy.counts.toServer;
    expect(small.sentBytes / small.sent).toBeLessThan(1_300);
  });

  it(
    "answers on through 200_000 datagrams of garbage and damaged packets, and keeps none of them",
    { timeout: 240_000 },
    async () => {
      const transport = new Quic();
      const listening = await listen(transport);
      const pair = await linkOver(new Quic({ pins: transport.pin }), listening, listening.address);
      const sender = createSocket("udp4");
      onTestFinished(() => void sender.close());
      const random = seededRandom(7);
      const packet = randomBytes(1_200);
      const before = process.memoryUsage.rss();
      for (let count = 0; count < 200_000; count++) {
        packet.writeUInt8([0x40, 0xc0, 0xc3, 0xd0, 0xe0, 0xf0][count % 6] ?? 0, 0);
        packet.writeUInt32BE(count % 3 === 0 ? 1 : Math.floor(random() * 2 ** 32), 1);
        packet.writeUInt8(Math.floor(random() * 24), 5);
        packet.writeUInt8(Math.floor(random() * 256), 6 + Math.floor(random() * 1_000));
        sender.send(packet, 0, 21 + Math.floor(random() * 1_179), listening.port, "127.0.0.1");
        if (count % 100 === 0) await pause(0);
      }
      await roundTrip(pair.dialed, pair.accepted, "still there?");
      await dial(new Quic({ pins: transport.pin }), listening.address);
      expect(process.memoryUsage.rss() - before).toBeLessThan(96 * mebibyte);
      expect(listening.links).toHaveLength(1);
    },
  );
});

describe("PeerStreams", () => {
  it("knows each stream of the peer once, in whatever order they come, and no other", () => {
    const streams = new PeerStreams(0);
    expect([0, 8, 4, 8, 0, 12, 4].map((id) => streams.isNew(id))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
    expect([1, 2, 3, 5].map((id) => streams.isNew(id))).toEqual([false, false, false, false]);
  });
});

describe("RetryTokens", () => {
  const from = { host: "192.0.2.7", port: 4_444 };
  const [originalId, sourceId] = [randomBytes(8), randomBytes(16)];

  it("gives back what it sealed, to the same address, and to no other", () => {
    const tokens = new RetryTokens();
    const token = tokens.seal(from, originalId, sourceId);
    const opened = tokens.open(from, token);
    expect(Buffer.from(opened?.originalId ?? "").equals(originalId)).toBe(true);
    expect(Buffer.from(opened?.sourceId ?? "").equals(sourceId)).toBe(true);
    expect(tokens.open({ ...from, port: 4_445 }, token)).toBeUndefined();
    expect(new RetryTokens().open(from, token)).toBeUndefined();
  });

  it("opens none that was changed or cut, at any place", () => {
    const tokens = new RetryTokens();
    const token = tokens.seal(from, originalId, sourceId);
    for (let at = 0; at < token.length; at++) {
      const changed = Buffer.from(token);
      changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
      expect(tokens.open(from, changed)).toBeUndefined();
      expect(tokens.open(from, token.subarray(0, at))).toBeUndefined();
    }
  });
});

describe("PathMtu", () => {
  const stats = { receivedPackets: 0, lostPackets: 0, lostBytes: 0, roundTripMs: 1 };

  it("begins with what every path carries, and tries the largest that is allowed", () => {
    const mtu = new PathMtu(1_452);
    expect(mtu.nextBytes).toBe(1_200);
    mtu.start();
    expect([mtu.bytes, mtu.nextBytes]).toEqual([1_200, 1_452]);
    mtu.onProbe(1_452, stats, 0);
    expect(mtu.nextBytes).toBe(1_200);
    mtu.onReceived({ ...stats, receivedPackets: 1 }, 10);
    expect(mtu.bytes).toBe(1_200);
    mtu.onReceived({ ...stats, receivedPackets: 2 }, 1_000);
    expect([mtu.bytes, mtu.nextBytes]).toEqual([1_452, 1_452]);
  });

  it("goes down when the probe is lost twice, and not for what else is lost", () => {
    const mtu = new PathMtu(1_452);
    expect(mtu.nextBytes).toBe(1_200);
    mtu.start();
    for (let count = 0; count < 2; count++) {
      mtu.onProbe(1_452, stats, 0);
      mtu.onReceived({ ...stats, receivedPackets: 5, lostPackets: 1, lostBytes: 1_452 }, 1_000);
    }
    expect(mtu.nextBytes).toBe(1_400);
    mtu.onProbe(1_400, stats, 0);
    mtu.onReceived({ ...stats, receivedPackets: 5, lostPackets: 3, lostBytes: 3_600 }, 1_000);
    expect(mtu.bytes).toBe(1_400);
  });

  it("goes back to the least when large datagrams get through no more, and tries again later", () => {
    const mtu = new PathMtu(1_452);
    expect(mtu.nextBytes).toBe(1_200);
    mtu.start();
    mtu.onProbe(1_452, stats, 0);
    mtu.onReceived({ ...stats, receivedPackets: 2 }, 1_000);
    for (let count = 0; count < 3; count++) mtu.onTimeout(2_000);
    expect([mtu.bytes, mtu.nextBytes]).toEqual([1_200, 1_200]);
    mtu.onAnswer(3_000);
    expect(mtu.nextBytes).toBe(1_200);
    mtu.onAnswer(70_000);
    expect(mtu.nextBytes).toBe(1_452);
  });
});
