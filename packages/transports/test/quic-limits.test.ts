import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { expectNoLeaks, udpProxy, waitFor } from "@msg-ts/testing";
import type { QuicOptions } from "@msg-ts/transports/quic";
import { Quic } from "@msg-ts/transports/quic";
import { describe, expect, it, onTestFinished } from "vitest";
import { DialedSession } from "../src/quic/dialed-session.ts";
import { QuicContexts } from "../src/quic/quic-contexts.ts";
import { QuicCredentials } from "../src/quic/quic-credentials.ts";
import { resolveQuicOptions } from "../src/quic/quic-options.ts";
import { quicheEngine } from "../src/quic/quiche-engine.ts";
import { Rounds } from "../src/quic/rounds.ts";
import { SelfSignedIdentity } from "../src/certificates/self-signed-identity.ts";
import { linkOver, quicPair, roundTrip, say } from "./quic-scene.ts";
import type { Listening } from "./tls-scene.ts";
import { dial, dialFailure, listen } from "./tls-scene.ts";

interface Scene {
  readonly listening: Listening;
  /** A transport of its own, which shares no connection with another. */
  readonly newDialer: (options?: QuicOptions) => Quic;
}

async function listenWith(options: QuicOptions): Promise<Scene> {
  const transport = new Quic(options);
  const listening = await listen(transport);
  return { listening, newDialer: (own) => new Quic({ pins: transport.pin, ...own }) };
}

/**
 * Begins handshakes that never go on: first packets as a real dialer sends them, each from an
 * address of its own, whose answers nobody reads.
 */
async function beginHandshakes(port: number, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    const sniffer = createSocket("udp4");
    sniffer.bind(0, "127.0.0.1");
    await once(sniffer, "listening");
    const abort = new AbortController();
    const dialing = new Quic().dial(`127.0.0.1:${sniffer.address().port}`, abort.signal);
    const [first] = (await once(sniffer, "message")) as [Buffer];
    abort.abort();
    await dialing.catch(() => undefined);
    sniffer.send(first, port, "127.0.0.1", () => sniffer.close());
  }
}

/** Dials, and opens no link. Resolves when the connection is over, with whether it was ready. */
function dialWithoutLink(port: number): Promise<boolean> {
  const options = resolveQuicOptions({ insecure: true });
  const credentials = new QuicCredentials({}, options, () => new SelfSignedIdentity());
  const { keepAliveMs, handshakeTimeoutMs, streamWindowBytes } = options;
  const times = { isDialer: true, keepAliveMs, handshakeTimeoutMs };
  return new Promise((resolve) => {
    // oxlint-disable-next-line no-new
    new DialedSession(
      {
        remote: { host: "127.0.0.1", port },
        serverName: undefined,
        certificateName: "127.0.0.1",
        contexts: new QuicContexts(quicheEngine(), credentials, options),
        session: { ...times, isShared: true, streamWindowBytes, rounds: new Rounds() },
      },
      {
        onReady: () => {},
        onLeaving: () => {},
        onOver: (_reason, wasReady) => resolve(wasReady),
      },
    );
  });
}

describe("a listener of QUIC", { timeout: 60_000 }, () => {
  expectNoLeaks({ withinMs: 5_000 });

  it("turns one more peer away than maxHandshakes, tells both, and takes it when there is room", async () => {
    const limits: QuicOptions = { maxHandshakes: 2, handshakeTimeoutMs: 2_000 };
    const { listening, newDialer } = await listenWith(limits);
    await beginHandshakes(listening.port, 1);
    // The second has to prove its address first, and then says nothing more.
    const proxy = await udpProxy({ to: listening.address, faults: { delayMs: 150 } });
    onTestFinished(() => proxy.close());
    const stuck = dialFailure(newDialer(limits), proxy.address);
    await waitFor(() => proxy.counts.toClient.sent === 1, { what: "it has a token" });
    proxy.block("toClient");
    await waitFor(() => proxy.counts.toClient.blocked > 0, { what: "it was let in" });
    const error = await dialFailure(newDialer(), listening.address);
    expect(error.message).toContain("too many connections");
    expect(listening.refused[0]?.error).toMatchObject({
      code: "MSG_TOO_MANY_PEERS",
      message: "2 QUIC handshakes are under way, maxHandshakes is 2",
    });
    await stuck;
    await waitFor(() => listening.refused.length === 3, { what: "both are given up" });
    const codes = listening.refused.map(({ error: { code } }) => code);
    expect(codes).toContain("MSG_HANDSHAKE_TIMEOUT");
    await linkOver(newDialer(), listening, listening.address);
  });

  it("holds maxConnections, and not one more", async () => {
    const { listening, newDialer } = await listenWith({ maxConnections: 2 });
    const first = await linkOver(newDialer(), listening, listening.address);
    await linkOver(newDialer(), listening, listening.address);
    const error = await dialFailure(newDialer(), listening.address);
    expect(error.message).toContain('it takes no connection, saying "too many connections" (0x2)');
    expect(listening.refused[0]?.error).toMatchObject({
      code: "MSG_TOO_MANY_PEERS",
      message: "2 connections are under way, maxConnections is 2",
    });
    first.dialed.link.destroy();
    await waitFor(() => first.accepted.isClosed, { what: "one of them is gone" });
    // The connection is gone once its dialer knows that its last words have arrived.
    let retries = 0;
    const retry = (): Promise<unknown> =>
      newDialer()
        .dial(listening.address, AbortSignal.timeout(5_000))
        .then(
          (link) => link.destroy(),
          () => (retries++ < 100 ? pause(20).then(retry) : Promise.reject(new Error("no room"))),
        );
    await retry();
    expect(retries).toBeLessThan(100);
  });

  it("holds maxConnectionsPerAddress of one address, and those of another beside them", async () => {
    const { listening, newDialer } = await listenWith({ maxConnectionsPerAddress: 1 });
    await linkOver(newDialer(), listening, listening.address);
    const error = await dialFailure(newDialer(), listening.address);
    expect(error.message).toContain("too many connections");
    expect(listening.refused[0]?.error.message).toBe(
      "1 connections of 127.0.0.1 are under way, maxConnectionsPerAddress is 1",
    );
  });

  it("takes maxStreams links on one connection; a dialer opens another for the rest", async () => {
    const { listening, newDialer } = await listenWith({ maxStreams: 2 });
    const proxy = await udpProxy({ to: listening.address });
    onTestFinished(() => proxy.close());
    const dialing = newDialer();
    for (let count = 0; count < 5; count++) await linkOver(dialing, listening, proxy.address);
    expect(proxy.clientCount).toBe(3);
    const dialed = await Promise.all(
      Array.from({ length: 5 }, () => dial(newDialer(), listening.address)),
    );
    expect(dialed.every(({ isClosed }) => !isClosed)).toBe(true);
  });

  it("asks a peer to prove its address when it is told to do so always", async () => {
    const { listening, newDialer } = await listenWith({ retry: "always" });
    const proxy = await udpProxy({ to: listening.address });
    onTestFinished(() => proxy.close());
    const { dialed, accepted } = await linkOver(newDialer(), listening, proxy.address);
    await roundTrip(dialed, accepted, "question");
    expect(listening.refused).toEqual([]);
  });

  it("keeps nothing of peers that do not prove their address while many handshakes are under way", async () => {
    const { listening, newDialer } = await listenWith({
      maxHandshakes: 4,
      handshakeTimeoutMs: 60_000,
    });
    // Two cost it a handshake; from then on a packet costs it an answer.
    await beginHandshakes(listening.port, 8);
    await linkOver(newDialer(), listening, listening.address);
    expect(listening.refused).toEqual([]);
  });

  it("does not take a token for another address", async () => {
    const { listening, newDialer } = await listenWith({ retry: "always" });
    const proxy = await udpProxy({ to: listening.address });
    onTestFinished(() => proxy.close());
    const dialing = dial(newDialer({ handshakeTimeoutMs: 1_500 }), proxy.address);
    const failure = dialing.then(
      () => undefined,
      (error: unknown) => error,
    );
    // The answer that brings the token is held back until the address is another one.
    proxy.stall("toClient");
    await waitFor(() => proxy.counts.toClient.received > 0, { what: "the token is on its way" });
    await proxy.changePorts();
    proxy.open();
    expect(await failure).toMatchObject({ code: "MSG_DIAL_FAILED" });
  });

  it("ends a connection on which its dialer opens no link", async () => {
    const { listening } = await listenWith({ handshakeTimeoutMs: 300 });
    expect(await dialWithoutLink(listening.port)).toBe(true);
    expect(listening.links).toEqual([]);
    expect(listening.refused).toEqual([]);
  });

  it.each([undefined, "msg-rs"] as const)(
    "keeps a connection whose dialer says nothing on its link, with compat %s",
    async (compat) => {
      const both = compat === undefined ? {} : { compat };
      const { listening, newDialer } = await listenWith({ handshakeTimeoutMs: 300, ...both });
      const other = await listenWith({ handshakeTimeoutMs: 300 });
      const transport = newDialer(both);
      const silent = await dial(transport, listening.address);
      // Another link of the same connection comes and goes.
      const brief = await linkOver(transport, listening, listening.address);
      brief.dialed.link.destroy();
      await waitFor(() => brief.accepted.isClosed, { what: "the other link is gone" });
      // Its time is over when that of one that came later is.
      await dialWithoutLink(other.listening.port);
      expect(silent).toMatchObject({ hasPeerEnded: false, isClosed: false });
      say(silent, "at last");
      await waitFor(() => listening.links[1]?.text === "at last", { what: "it is heard" });
    },
  );
});

describe("a link over QUIC", { timeout: 60_000 }, () => {
  expectNoLeaks({ withinMs: 5_000 });

  it("ends when its peer is silent for idleTimeoutMs, and says so", async () => {
    const { proxy, dialed, accepted } = await quicPair({
      dialing: { idleTimeoutMs: 500 },
      listening: { idleTimeoutMs: 60_000 },
    });
    proxy.block();
    await waitFor(() => dialed.isClosed && accepted.isClosed, { what: "both ends know" });
    for (const { reason } of [dialed, accepted]) {
      expect(reason).toMatchObject({ code: "MSG_PEER_LOST" });
      expect(reason?.message).toContain("silent for idleTimeoutMs");
    }
  });

  it("lives on while nothing is said, as its dialer asks for signs of life", async () => {
    const { dialed, accepted } = await quicPair({
      dialing: { idleTimeoutMs: 400, keepAliveMs: 100 },
    });
    await pause(1_500);
    expect([dialed.isClosed, accepted.isClosed]).toEqual([false, false]);
    await roundTrip(dialed, accepted, "still there");
  });

  it("has no idle timeout when it is told to have none, and ends in order all the same", async () => {
    const never: QuicOptions = { idleTimeoutMs: Infinity, keepAliveMs: Infinity };
    const { dialed, accepted } = await quicPair({ dialing: never, listening: never });
    await roundTrip(dialed, accepted, "question");
    dialed.link.end();
    accepted.link.end();
    await waitFor(() => dialed.isClosed && accepted.isClosed, { what: "both are closed" });
    expect([dialed.reason, accepted.reason]).toEqual([undefined, undefined]);
  });

  it("takes no more from its peer than streamWindowBytes while its reader has stopped", async () => {
    const window = 64 * 1024;
    const { proxy, dialed, accepted } = await quicPair({
      listening: { streamWindowBytes: window },
    });
    accepted.link.setReading(false);
    const length = 10 * 1024 * 1024;
    dialed.link.write([new Uint8Array(length)]);
    await pause(500);
    expect(dialed.link.bufferedBytes).toBeGreaterThan(length - 2 * window);
    expect(proxy.counts.toServer.sentBytes).toBeLessThan(4 * window);
    accepted.link.setReading(true);
    await waitFor(() => dialed.link.bufferedBytes === 0, {
      what: "all is on its way",
      withinMs: 20_000,
    });
  });

  it("survives two seconds in which nothing gets through", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    await roundTrip(dialed, accepted, "before");
    proxy.block();
    dialed.link.write([new TextEncoder().encode("meanwhile")]);
    await pause(2_000);
    proxy.open();
    await waitFor(() => accepted.text.endsWith("meanwhile"), { what: "it came through" });
    expect([dialed.isClosed, accepted.isClosed]).toEqual([false, false]);
  });
});
