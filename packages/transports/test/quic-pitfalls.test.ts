/** What an integrator of the engine must get right: one test for each thing that went wrong once. */
import { createSocket } from "node:dgram";
import { createHook } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expectNoLeaks, udpProxy, waitFor } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import { describe, expect, it, onTestFinished } from "vitest";
import { heardAll, linkOver, quicPair, roundTrip, say } from "./quic-scene.ts";
import { authority, dial, dialFailure, listen, serverIdentity } from "./tls-scene.ts";

const mebibyte = 1024 * 1024;

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(0x61);
}

describe("a link over QUIC", { timeout: 60_000 }, () => {
  expectNoLeaks({ withinMs: 5_000 });

  it("answers on when one datagram in twenty is lost: its round trip is not taken for seconds", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    proxy.setFaults({ lossPercent: 5 });
    for (let count = 0; count < 200; count++) await roundTrip(dialed, accepted, "question");
    expect(dialed.text.length).toBe(200 * "question".length);
  });

  it("brings more than the window of a connection, though updates of windows are lost", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    proxy.setFaults({ lossPercent: 5 });
    const length = 6_000_000;
    dialed.link.write([bytes(length)]);
    await heardAll(accepted, length, 40_000);
    expect(accepted.text.length).toBe(length);
  });

  it("is told the end of its peer, also when that was alone in a datagram that was lost", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    dialed.link.end();
    await waitFor(() => accepted.hasPeerEnded, { what: "the acceptor knows of the first end" });
    // What it said has arrived, but it does not hear so before its end is lost.
    proxy.stall("toServer");
    say(accepted, "last words");
    await heardAll(dialed, "last words".length);
    proxy.block("toClient");
    accepted.link.end();
    await waitFor(() => proxy.counts.toClient.blocked > 0, { what: "the end is lost" });
    proxy.open();
    await waitFor(() => dialed.hasPeerEnded && dialed.isClosed, { what: "the end is known" });
    expect(dialed.reason).toBeUndefined();
  });

  it("ends when it is full, and the engine makes no packets for ever", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    accepted.link.setReading(false);
    dialed.link.write([bytes(32 * mebibyte)]);
    await waitFor(() => proxy.counts.toServer.sent > 200, { what: "much is under way" });
    proxy.block();
    dialed.link.destroy();
    await waitFor(() => dialed.isClosed, { what: "the link is closed" });
    // That the socket is gone as well is what expectNoLeaks looks at.
    expect(dialed.reason).toBeUndefined();
  });

  it.each([64, 100_000, 5_000_000])(
    "loses nothing of %i bytes that were written right before its end",
    async (length) => {
      const { proxy, dialed, accepted } = await quicPair();
      proxy.setFaults({ lossPercent: 2, delayMs: 2 });
      dialed.link.write([bytes(length)]);
      dialed.link.end();
      await waitFor(() => accepted.hasPeerEnded, { what: "the end came", withinMs: 30_000 });
      expect(accepted.text.length).toBe(length);
      accepted.link.end();
      await waitFor(() => dialed.isClosed && accepted.isClosed, { what: "both are closed" });
      expect([dialed.reason, accepted.reason]).toEqual([undefined, undefined]);
    },
  );

  it("is seen by its listener also when a later one of the same connection arrives before it", async () => {
    const pair = await quicPair();
    const { links } = pair.listening;
    pair.proxy.setFaults({ reorderPercent: 40, overtakenBy: 5, lossPercent: 5 });
    const count = 60;
    for (let number = 0; number < count; number++) {
      const dialed = await dial(pair.dialing, pair.proxy.address);
      say(dialed, `<${number}>`);
      await pause(1);
    }
    const texts = (): string[] => links.slice(1).map(({ text }) => text);
    await waitFor(() => texts().filter((text) => text.endsWith(">")).length === count, {
      what: "all links arrived",
      withinMs: 15_000,
    });
    expect(new Set(texts())).toEqual(new Set(Array.from({ length: count }, (_, i) => `<${i}>`)));
  });

  it("gives its reader all that arrived before it says that the peer has left", async () => {
    const { dialed, accepted } = await quicPair();
    dialed.link.setReading(false);
    accepted.link.write([bytes(mebibyte)]);
    accepted.link.end();
    dialed.link.end();
    await waitFor(() => accepted.hasPeerEnded, { what: "the acceptor has nothing more to do" });
    await pause(100);
    expect(dialed).toMatchObject({ text: "", hasPeerEnded: false, isClosed: false });
    dialed.link.setReading(true);
    await waitFor(() => dialed.isClosed, { what: "the dialer has read it" });
    expect(dialed).toMatchObject({ hasPeerEnded: true, reason: undefined });
    expect(dialed.text.length).toBe(mebibyte);
  });

  it("sets no timer for each datagram, nor again and again when one fires too early", async () => {
    const { dialed, accepted } = await quicPair();
    let timers = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === "Timeout") timers += 1;
      },
    }).enable();
    onTestFinished(() => void hook.disable());
    dialed.link.write([bytes(4 * mebibyte)]);
    await waitFor(() => accepted.text.length >= 4 * mebibyte, { what: "all came" });
    await pause(200);
    // Hundreds of datagrams went; waitFor itself sets some.
    expect(timers).toBeLessThan(150);
  });

  it("does not change a datagram while the system still has it", async () => {
    const { dialed, accepted } = await quicPair();
    const sent = randomBytes(4 * mebibyte).toString("hex");
    say(dialed, sent);
    await heardAll(accepted, sent.length);
    expect(accepted.text === sent).toBe(true);
  });

  it("sends what is written in one tick in few datagrams, and the answer with the acknowledgement", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    await roundTrip(dialed, accepted, "warm");
    const before = proxy.counts.toServer.received;
    for (let count = 0; count < 100; count++) say(dialed, "0123456789");
    await waitFor(() => accepted.text.length >= 1_000, { what: "all came" });
    expect(proxy.counts.toServer.received - before).toBeLessThanOrEqual(4);
  });

  it("answers in the datagram that acknowledges the question", async () => {
    const transport = new Quic();
    const listener = await transport.listen("127.0.0.1:0", {
      onLink: (link) => {
        onTestFinished(() => link.destroy());
        link.start({
          onData: (chunk) => void Promise.resolve().then(() => link.write([chunk])),
          onDrain: () => {},
          onEnd: () => {},
          onClose: () => {},
        });
      },
      onError: () => {},
      onRefused: () => {},
    });
    onTestFinished(() => listener.close());
    const proxy = await udpProxy({ to: listener.address });
    onTestFinished(() => proxy.close());
    const dialed = await dial(new Quic({ pins: transport.pin }), proxy.address);
    say(dialed, "?");
    await heardAll(dialed, 1);
    const start = proxy.counts.toClient.received;
    for (let count = 2; count <= 51; count++) {
      say(dialed, "?");
      await heardAll(dialed, count);
    }
    // One for each, and now and then one of the connection itself.
    expect(proxy.counts.toClient.received - start).toBeLessThanOrEqual(60);
  });

  it("asks nobody for the name of an address, neither when it dials nor for each datagram", async () => {
    const asked: string[] = [];
    const lookup = (host: string): Promise<readonly string[]> => {
      asked.push(host);
      return Promise.resolve(["127.0.0.1"]);
    };
    const { dialed, accepted, dialing, listening } = await quicPair({ dialing: { lookup } });
    await roundTrip(dialed, accepted, "question");
    expect(asked).toEqual([]);
    await linkOver(dialing, listening, `localhost:${listening.port}`);
    expect(asked).toEqual(["localhost"]);
  });
});

describe("a listener of QUIC", { timeout: 30_000 }, () => {
  expectNoLeaks();

  it("keeps nothing of first packets that nobody encrypted", async () => {
    const transport = new Quic({ maxHandshakes: 2 });
    const { port, links, address, refused } = await listen(transport);
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    for (let count = 0; count < 1_000; count++) {
      const forged = randomBytes(1_200);
      // Initial, version 1, two connection ids of 8 and none bytes, no token.
      forged.set([0xc3, 0, 0, 0, 1, 8], 0);
      forged.set([0, 0, 0x44, 0x90], 14);
      socket.send(forged, port, "127.0.0.1");
      if (count % 50 === 0) await pause(1);
    }
    const dialed = await dial(new Quic({ pins: transport.pin }), address);
    say(dialed, "hello");
    await waitFor(() => links.length === 1, { what: "the honest one is let in" });
    expect(refused).toEqual([]);
  });

  it("looks at no byte behind the end of a short datagram", async () => {
    const transport = new Quic();
    const { port, address } = await listen(transport);
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    for (let length = 0; length < 60; length++) {
      for (const first of [0x40, 0xc0]) {
        const datagram = Buffer.alloc(length, 0xff);
        if (length > 0) datagram[0] = first;
        if (length > 5) datagram[5] = 20;
        socket.send(datagram, port, "127.0.0.1");
      }
    }
    const dialed = await dial(new Quic({ pins: transport.pin }), address);
    expect(dialed.isClosed).toBe(false);
  });

  it("holds an address against the addresses of a certificate, which the engine does not", async () => {
    const other = await authority.issue({ ips: ["127.0.0.2"], dns: ["localhost"] });
    const good = await listen(new Quic(serverIdentity));
    const bad = await listen(new Quic(other));
    const dialing = new Quic({ ca: authority.cert });
    const { link } = await dial(dialing, good.address);
    expect(link.certificate).toMatchObject({ authorized: true, commonName: "orders" });
    const error = await dialFailure(dialing, bad.address);
    expect(error.message).toContain(
      "not for 127.0.0.1, but for DNS:localhost, IP Address:127.0.0.2",
    );
  });

  it("that ends a connection in the handshake breaks a link, and names what QUIC makes of it", async () => {
    const transport = new Quic({
      ...serverIdentity,
      clientCertificates: "required",
      ca: authority.cert,
    });
    const { address, refused } = await listen(transport);
    const dialed = await dial(new Quic({ ca: authority.cert }), address);
    await waitFor(() => dialed.isClosed, { what: "the dialer hears of it" });
    expect(dialed.reason).toMatchObject({ code: "MSG_PEER_LOST" });
    expect(dialed.reason?.message).toContain('it sent the alert "certificate required"');
    await waitFor(() => refused.length === 1, { what: "the listener tells of it" });
    expect(refused[0]?.error).toMatchObject({ code: "MSG_AUTH_REJECTED" });
  });

  it("that was started anew on its port is noticed at once, not by the idle timeout", async () => {
    const { dialed, listening, proxy, accepted } = await quicPair();
    // A process that is killed says nothing.
    proxy.block();
    accepted.link.destroy();
    await listening.listener.close();
    await waitFor(() => accepted.isClosed, { what: "the old listener is gone" });
    // Its last words are in front of the proxy, perhaps.
    await pause(100);
    await listen(new Quic(), listening.address);
    proxy.open();
    say(dialed, "are you there?");
    await waitFor(() => dialed.isClosed, { what: "the dialer noticed", withinMs: 5_000 });
    expect(dialed.reason).toMatchObject({ code: "MSG_PEER_LOST" });
    expect(dialed.reason?.message).toContain("nobody answers there any more");
  });
});
