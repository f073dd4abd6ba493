import { X509Certificate } from "node:crypto";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import type { TlsOptions } from "@msg-ts/transports/tls";
import { PeerCertificate, Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { TlsSessions } from "../src/tls/tls-sessions.ts";
import type { HeardLink } from "./tls-scene.ts";
import {
  authority,
  clientIdentity,
  dial,
  inHours,
  listen,
  securedClient,
  serverIdentity,
  tlsServer,
} from "./tls-scene.ts";

const ca = authority.cert;
const toLoopback = async (): Promise<string[]> => ["127.0.0.1"];

/** A foreign server that says one word, so that its tickets have come when the word has. */
async function countingServer(
  options = {},
): Promise<{ address: string; resumed: boolean[]; port: number }> {
  const resumed: boolean[] = [];
  const { address } = await tlsServer(options, (socket) => {
    resumed.push(socket.isSessionReused());
    // Behind its tickets, which are not sent yet.
    setImmediate(() => socket.write("hello"));
  });
  return { address, resumed, port: Number(address.split(":").at(-1)) };
}

async function dialAndLeave(transport: Tls, address: string): Promise<HeardLink> {
  const heard = await dial(transport, address);
  await waitFor(() => heard.text === "hello", { what: "the server has spoken" });
  heard.link.destroy();
  await waitFor(() => heard.isClosed, { what: "the link is closed" });
  return heard;
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("a session of %s", (version) => {
  expectNoLeaks();
  const limits = { minVersion: version, maxVersion: version };

  it("is resumed when the same server is dialed again, each time", async () => {
    const { address, resumed } = await countingServer(limits);
    const transport = new Tls({ ca });
    for (let round = 0; round < 4; round++) {
      const { link } = await dialAndLeave(transport, address);
      expect(link.certificate).toMatchObject({ commonName: "orders", authorized: true });
    }
    expect(resumed).toEqual([false, true, true, true]);
  });

  it("is not resumed by another transport, or for another name or address", async () => {
    const { address, resumed, port } = await countingServer(limits);
    const transport = new Tls({ ca, lookup: toLoopback });
    await dialAndLeave(transport, address);
    await dialAndLeave(new Tls({ ca }), address);
    await dialAndLeave(transport, `localhost:${port}`);
    await dialAndLeave(transport, `orders.example:${port}`);
    expect(resumed).toEqual([false, false, false, false]);
  });

  it("is not resumed with other certificates than it was made with", async () => {
    const { address, resumed } = await countingServer(limits);
    const transport = new Tls({ ca });
    await dialAndLeave(transport, address);
    transport.setCertificates(clientIdentity);
    await dialAndLeave(transport, address);
    await dialAndLeave(transport, address);
    expect(resumed).toEqual([false, false, true]);
  });

  it("is not kept of a server that was not verified", async () => {
    const { address, resumed } = await countingServer(limits);
    const transport = new Tls({ rejectUnauthorized: false });
    for (let round = 0; round < 2; round++) {
      const { link } = await dialAndLeave(transport, address);
      expect(link.certificate).toMatchObject({ authorized: false });
    }
    expect(resumed).toEqual([false, false]);
  });

  it("is not resumed once the server's certificate has ended", async () => {
    const { address, resumed } = await countingServer(limits);
    const transport = new Tls({ ca });
    await dialAndLeave(transport, address);
    const later = inHours(2);
    vi.useFakeTimers({ toFake: ["Date"], now: later });
    onTestFinished(() => void vi.useRealTimers());
    await dialAndLeave(transport, address);
    expect(resumed).toEqual([false, false]);
  });

  it("is not resumed again when the server then ends the connection without a word", async () => {
    const resumed: boolean[] = [];
    const { address } = await tlsServer(limits, (socket) => {
      resumed.push(socket.isSessionReused());
      setImmediate(() => (socket.isSessionReused() ? socket.destroy() : socket.write("hello")));
    });
    const transport = new Tls({ ca });
    for (let round = 0; round < 4; round++) {
      const heard = await dial(transport, address);
      await waitFor(() => heard.text === "hello" || heard.hasPeerEnded || heard.isClosed, {
        what: "the server has spoken or left",
      });
      heard.link.destroy();
      await waitFor(() => heard.isClosed, { what: "the link is closed" });
    }
    expect(resumed).toEqual([false, true, false, true]);
  });

  it("is given by a listener too, with the client's certificate in it", async () => {
    const options: TlsOptions = { ca, clientCertificates: "required" };
    const { port, links } = await listen(new Tls({ ...serverIdentity, ...options }));
    const first = await securedClient(port, { ...limits, ...clientIdentity });
    await waitFor(() => first.sessions.length > 0, { what: "a ticket has come" });
    const [session = Buffer.alloc(0)] = first.sessions;
    first.socket.destroy();
    const second = await securedClient(port, { ...limits, session });
    expect(second.socket.isSessionReused()).toBe(true);
    await waitFor(() => links.length === 2, { what: "the second link has arrived" });
    expect(links[1]?.link.certificate).toMatchObject({ commonName: "alice", authorized: true });
  });

  it("does not make a certificate of none where they are optional", async () => {
    const options: TlsOptions = { ca, clientCertificates: "optional" };
    const { port, links } = await listen(new Tls({ ...serverIdentity, ...options }));
    const first = await securedClient(port, limits);
    await waitFor(() => first.sessions.length > 0, { what: "a ticket has come" });
    const [session = Buffer.alloc(0)] = first.sessions;
    first.socket.destroy();
    const second = await securedClient(port, { ...limits, session });
    expect(second.socket.isSessionReused()).toBe(true);
    await waitFor(() => links.length === 2, { what: "the second link has arrived" });
    expect(links[1]?.link.certificate).toBeUndefined();
  });

  it("lets nobody in whose certificate has ended since", async () => {
    const ips = ["127.0.0.1"];
    const identity = await authority.issue({ ips, validTo: inHours(24) });
    const options: TlsOptions = { ca, clientCertificates: "required" };
    const { address, links, refused } = await listen(new Tls({ ...identity, ...options }));
    const client = new Tls({ ca, ...clientIdentity, ...limits });
    const first = await dial(client, address);
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    links[0]?.link.write([new TextEncoder().encode("hello")]);
    await waitFor(() => first.text === "hello", { what: "its ticket has come too" });
    vi.useFakeTimers({ toFake: ["Date"], now: inHours(2) });
    onTestFinished(() => void vi.useRealTimers());
    await dial(client, address).catch(() => {});
    await waitFor(() => refused.length === 1, { what: "it is refused" });
    expect(refused[0]?.error).toMatchObject({
      code: "MSG_AUTH_REJECTED",
      message: expect.stringContaining("(CERT_HAS_EXPIRED)") as string,
    });
    expect(links).toHaveLength(1);
  });

  it("ends with the certificates of its listener: who comes back is looked at anew", async () => {
    const transport = new Tls({ ...serverIdentity });
    const { port, links } = await listen(transport);
    const first = await securedClient(port, limits);
    await waitFor(() => first.sessions.length > 0, { what: "a ticket has come" });
    const [session = Buffer.alloc(0)] = first.sessions;
    first.socket.destroy();
    transport.setCertificates({ ...serverIdentity });
    const second = await securedClient(port, { ...limits, session });
    expect(second.socket.isSessionReused()).toBe(false);
    await waitFor(() => links.length === 2, { what: "the second link has arrived" });
  });

  it("is resumed under each of several server names", async () => {
    const identity = await authority.issue({ dns: ["other.example"] });
    const sni = { "other.example": identity };
    const { port } = await listen(new Tls({ ...serverIdentity, sni }));
    const options = { ...limits, servername: "other.example" };
    const first = await securedClient(port, options);
    await waitFor(() => first.sessions.length > 0, { what: "a ticket has come" });
    const [session = Buffer.alloc(0)] = first.sessions;
    first.socket.destroy();
    const second = await securedClient(port, { ...options, session });
    expect(second.socket.isSessionReused()).toBe(true);
  });
});

describe("TlsSessions", () => {
  const certificate = new PeerCertificate(new X509Certificate(serverIdentity.cert), true);

  it("gives out the last that was kept, until it is kept again", () => {
    const sessions = new TlsSessions();
    sessions.keep("a", { session: Buffer.from("1"), certificate });
    sessions.keep("a", { session: Buffer.from("2"), certificate });
    expect(sessions.take("a")).toEqual({ session: Buffer.from("2"), certificate });
    expect(sessions.take("a")).toBeUndefined();
    expect(sessions.take("b")).toBeUndefined();
  });

  it("forgets the oldest of more than 256", () => {
    const sessions = new TlsSessions();
    const session = Buffer.from("1");
    for (let i = 0; i < 257; i++) sessions.keep(`${i}`, { session, certificate });
    expect(sessions.size).toBe(256);
    expect(sessions.take("0")).toBeUndefined();
    expect(sessions.take("1")).toBeDefined();
  });
});
