import { createHash, randomBytes } from "node:crypto";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { RepSocket, ReqSocket } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  authority,
  dial,
  listen,
  securedClient,
  serverIdentity,
  stranger,
  tlsServer,
} from "./tls-scene.ts";

const ca = authority.cert;
const encoder = new TextEncoder();

/** A proxy that can break the bytes that it moves. */
interface BreakingProxy {
  readonly address: string;
  /** From now on one bit of every piece that goes to the server is wrong. */
  breakBytes(): void;
  /** Ends the connection to the client as a network does: without a word of TLS. */
  endClient(): void;
}

async function breakingProxy(to: number): Promise<BreakingProxy> {
  let isBreaking = false;
  const clients: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(to, "127.0.0.1");
    clients.push(client);
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.on("data", (chunk) => {
      if (isBreaking) chunk[chunk.length - 1] = (chunk.at(-1) ?? 0) ^ 1;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk) => client.write(chunk));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakBytes: () => {
      isBreaking = true;
    },
    endClient: () => clients.at(-1)?.end(),
  };
}

describe("the end of a link of Tls", () => {
  expectNoLeaks();

  it("is a broken link where the server leaves without a word after the handshake", async () => {
    const { address } = await tlsServer({ minVersion: "TLSv1.3" }, (socket) => socket.destroy());
    const heard = await dial(new Tls({ ca }), address);
    await waitFor(() => heard.isClosed, { what: "the link is closed" });
    expect(heard.hasPeerEnded).toBe(false);
    expect(heard.reason).toMatchObject({
      code: "MSG_PEER_LOST",
      message:
        `link to ${address} broke: it ended the connection right after the handshake; ` +
        "perhaps it refuses our certificate, or wants one (no close_notify)",
    });
  });

  it("is in order where the server says so after the handshake", async () => {
    const { address } = await tlsServer({}, (socket) => socket.end());
    const heard = await dial(new Tls({ ca }), address);
    await waitFor(() => heard.hasPeerEnded, { what: "the end was told" });
    heard.link.end();
    await waitFor(() => heard.isClosed, { what: "the link is closed" });
    expect(heard.reason).toBeUndefined();
  });

  it("cannot be told from an end in order when the connection ends after some bytes", async () => {
    const { port, links } = await listen(new Tls(serverIdentity));
    const proxy = await breakingProxy(port);
    const heard = await dial(new Tls({ ca }), proxy.address);
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    links[0]?.link.write([encoder.encode("hello")]);
    await waitFor(() => heard.text === "hello", { what: "the text has arrived" });
    proxy.endClient();
    await waitFor(() => heard.hasPeerEnded, { what: "the end was told" });
    expect(heard.isClosed).toBe(false);
  });

  it("names the alert of a server that wants a certificate", async () => {
    const { address } = await tlsServer({ ca, requestCert: true, minVersion: "TLSv1.3" });
    const heard = await dial(new Tls({ ca }), address);
    await waitFor(() => heard.isClosed, { what: "the link is closed" });
    expect(heard.hasPeerEnded).toBe(false);
    expect(heard.reason).toMatchObject({
      code: "MSG_PEER_LOST",
      message:
        `link to ${address} broke: it sent the alert "certificate required", it wants a client ` +
        "certificate: give cert and key (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)",
      cause: { code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" },
    });
  });

  it("tells the socket, which goes on trying more and more slowly", async () => {
    const { address } = await tlsServer({ ca, requestCert: true, minVersion: "TLSv1.3" });
    const reconnect = { minDelayMs: 1, maxDelayMs: 8, maxAttempts: 5 };
    const req = new ReqSocket(new Tls({ ca }), { reconnect });
    onTestFinished(() => void req.close({ lingerMs: 0 }));
    const attempts: { attempt: number; text: string }[] = [];
    req.on("retrying", ({ attempt, error }) => attempts.push({ attempt, text: error.message }));
    const givenUp = req.once("error");
    await req.connect(address);
    await givenUp;
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    for (const { text } of attempts) expect(text).toContain('the alert "certificate required"');
  });

  it("is MSG_PEER_LOST when a byte on the way was changed", async () => {
    const { port, links } = await listen(new Tls(serverIdentity));
    const proxy = await breakingProxy(port);
    const heard = await dial(new Tls({ ca }), proxy.address);
    heard.link.write([encoder.encode("true")]);
    await waitFor(() => links[0]?.text === "true", { what: "the text has arrived" });
    proxy.breakBytes();
    heard.link.write([encoder.encode("false")]);
    await waitFor(() => links[0]?.isClosed === true && heard.isClosed, {
      what: "both ends are closed",
    });
    expect(links[0]?.text).toBe("true");
    expect(links[0]?.reason).toMatchObject({
      code: "MSG_PEER_LOST",
      message: expect.stringContaining("it broke the rules of TLS (ERR_SSL_") as string,
    });
    expect(heard.reason).toMatchObject({
      code: "MSG_PEER_LOST",
      message: expect.stringContaining('it sent the alert "bad record mac"') as string,
    });
  });

  it("is MSG_PEER_LOST when the connection is reset", async () => {
    const { address, sockets } = await tlsServer({}, (socket) => socket.write("hello"));
    const heard = await dial(new Tls({ ca }), address);
    await waitFor(() => heard.text === "hello", { what: "the text has arrived" });
    // What it does not read turns its end into a reset.
    sockets[0]?.pause();
    heard.link.write([new Uint8Array(8_000_000)]);
    sockets[0]?.destroy();
    await waitFor(() => heard.isClosed, { what: "the link is closed" });
    expect(heard.reason).toMatchObject({
      code: "MSG_PEER_LOST",
      message: expect.stringMatching(/ broke: (?:ECONNRESET|EPIPE)$/) as string,
    });
  });

  it("comes to a client that asks for a new handshake in TLS 1.2", async () => {
    const { port, links } = await listen(new Tls(serverIdentity));
    const client = await securedClient(port, { maxVersion: "TLSv1.2" });
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    let isRenegotiated = false;
    client.socket.renegotiate({}, (error) => {
      isRenegotiated = error === null;
    });
    await waitFor(() => links[0]?.isClosed === true && client.isClosed, {
      what: "both ends are closed",
    });
    expect(isRenegotiated).toBe(false);
    expect(links[0]?.reason).toMatchObject({
      code: "MSG_PEER_LOST",
      message: expect.stringContaining("broke: it asked for another handshake (ERR_") as string,
      cause: { code: "ERR_TLS_RENEGOTIATION_DISABLED" },
    });
  });
});

describe("bytes on a link of Tls", () => {
  expectNoLeaks();

  it("are 50 MB in one message, both ways, unchanged", async () => {
    const rep = new RepSocket(new Tls(serverIdentity));
    rep.serve((request) => request.payload);
    const req = new ReqSocket(new Tls({ ca }), { timeoutMs: 60_000 });
    onTestFinished(async () => {
      await req.close();
      await rep.close();
    });
    await req.connect(await rep.bind("127.0.0.1:0"));
    const payload = randomBytes(50_000_000);
    const hash = createHash("sha256").update(payload).digest("hex");
    const reply = await req.request(payload);
    expect(createHash("sha256").update(reply.payload).digest("hex")).toBe(hash);
  });

  it("are encrypted a part at a time, so that others get their turn", async () => {
    const { address } = await listen(new Tls(serverIdentity));
    const { link } = await dial(new Tls({ ca }), address);
    const length = 64 * 1024 * 1024;
    expect(link.write([new Uint8Array(length)])).toBe(false);
    let turns = 0;
    const left: number[] = [];
    while (link.bufferedBytes > 0) {
      left.push(link.bufferedBytes);
      turns++;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(turns).toBeGreaterThan(100);
    for (const [index, bytes] of left.entries()) {
      const before = index === 0 ? length : (left[index - 1] ?? 0);
      expect(before - bytes).toBeLessThanOrEqual(256 * 1024);
    }
  });

  it("of one write make as few records as can be", async () => {
    const { port, links } = await listen(new Tls({ ...serverIdentity, maxVersion: "TLSv1.2" }));
    const chunks: number[] = [];
    const client = await securedClient(port);
    client.socket.on("data", (chunk: Buffer) => chunks.push(chunk.length));
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    links[0]?.link.write(Array.from({ length: 100 }, () => new Uint8Array(10)));
    const sum = (): number => chunks.reduce((total, length) => total + length, 0);
    await waitFor(() => sum() === 1_000, { what: "all has arrived" });
    // Node gives out one chunk for each record.
    expect(chunks).toEqual([1_000]);
  });
});

describe("a link of Tls that cannot be trusted any more", () => {
  expectNoLeaks();

  it("is not made through somebody in the middle with a certificate of his own", async () => {
    const { port, links } = await listen(new Tls(serverIdentity));
    const forged = await stranger.issue({ ips: ["127.0.0.1"] });
    const { address } = await tlsServer(forged, (socket) => {
      const upstream = connect(port, "127.0.0.1");
      upstream.on("error", () => {});
      socket.pipe(upstream).pipe(socket);
    });
    await expect(dial(new Tls({ ca }), address)).rejects.toMatchObject({ code: "MSG_DIAL_FAILED" });
    expect(links).toEqual([]);
  });
});
