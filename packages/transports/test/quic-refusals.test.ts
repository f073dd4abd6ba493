import { TestAuthority, expectNoLeaks, waitFor } from "@msg-ts/testing";
import type { QuicOptions } from "@msg-ts/transports/quic";
import { PeerCertificate, Quic } from "@msg-ts/transports/quic";
import { describe, expect, it } from "vitest";
import { linkOver, say } from "./quic-scene.ts";
import {
  authority,
  clientIdentity,
  dial,
  dialFailure,
  inHours,
  listen,
  never,
  serverIdentity,
  stranger,
} from "./tls-scene.ts";

const forward = (): Promise<readonly string[]> => Promise.resolve(["127.0.0.1", "127.0.0.2"]);
const backward = (): Promise<readonly string[]> => Promise.resolve(["127.0.0.2", "127.0.0.1"]);

const trusting: QuicOptions = { ca: authority.cert };

describe("a dialer of QUIC", { timeout: 30_000 }, () => {
  expectNoLeaks();

  it("does not take a server of an unknown authority, without being told to verify", async () => {
    const { address } = await listen(new Quic(serverIdentity));
    const error = await dialFailure(new Quic(), address);
    expect(error.message).toContain(`no QUIC with ${address}: its certificate is of an authority`);
  });

  it("does not take a self-signed server that it has no pin of", async () => {
    const { address } = await listen(new Quic());
    const error = await dialFailure(new Quic(), address);
    expect(error.message).toContain("self-signed");
  });

  it("does not take a server that another authority vouches for", async () => {
    const { address } = await listen(new Quic(serverIdentity));
    const error = await dialFailure(new Quic({ ca: stranger.cert }), address);
    expect(error.message).toContain("authority that is not in ca");
  });

  it("does not take a server whose certificate has expired", async () => {
    const expired = await authority.issue({
      ips: ["127.0.0.1"],
      validTo: inHours(-1),
      validFrom: inHours(-2),
    });
    const { address } = await listen(new Quic(expired));
    const error = await dialFailure(new Quic(trusting), address);
    expect(error.message).toContain("certificate");
  });

  it("does not take a server of another name, and says which names it has", async () => {
    const { port } = await listen(new Quic(serverIdentity));
    const dialing = new Quic({ ...trusting, serverName: "payments.example" });
    const error = await dialFailure(dialing, `127.0.0.1:${port}`);
    expect(error.message).toContain("its certificate does not verify, or is for another name");
  });

  it("takes a server whose certificate is for the name that it was told to expect", async () => {
    const listening = await listen(new Quic(serverIdentity));
    const dialing = new Quic({ ...trusting, serverName: "orders.example" });
    const { dialed } = await linkOver(dialing, listening, listening.address);
    expect(dialed.link.certificate).toBeInstanceOf(PeerCertificate);
    expect(dialed.link.certificate).toMatchObject({ authorized: true, commonName: "orders" });
  });

  it("takes a server through the authorities between it and the root", async () => {
    const between = await authority.intermediate();
    const listening = await listen(new Quic(await between.issue({ ips: ["127.0.0.1"] })));
    const { dialed } = await linkOver(new Quic(trusting), listening, listening.address);
    expect(dialed.link.certificate).toMatchObject({ authorized: true });
  });

  it("takes a server by its pin alone, and none by that of another", async () => {
    const transport = new Quic();
    const listening = await listen(transport);
    const pins = [new Quic().pin, transport.pin];
    const { dialed } = await linkOver(new Quic({ pins }), listening, listening.address);
    expect(dialed.link.certificate).toMatchObject({ authorized: true });
    const error = await dialFailure(new Quic({ pins: new Quic().pin }), listening.address);
    expect(error.message).toContain(`its public key ${transport.pin} is none of pins`);
    expect(error.cause).toMatchObject({ code: "MSG_AUTH_REJECTED" });
  });

  it("needs both the authority and the pin, when it has both", async () => {
    const transport = new Quic(serverIdentity);
    const listening = await listen(transport);
    const both = { ...trusting, pins: transport.pin };
    await linkOver(new Quic(both), listening, listening.address);
    await dialFailure(new Quic({ ...trusting, pins: new Quic().pin }), listening.address);
    const error = await dialFailure(
      new Quic({ ca: stranger.cert, pins: transport.pin }),
      listening.address,
    );
    expect(error.message).toContain("authority that is not in ca");
  });

  it("that is insecure takes anybody, and says that it proves nothing", async () => {
    const listening = await listen(new Quic());
    const { dialed } = await linkOver(new Quic({ insecure: true }), listening, listening.address);
    expect(dialed.link.certificate).toMatchObject({ authorized: false });
  });

  it("has no protocol in common with a listener for msg-rs, and says so", async () => {
    const transport = new Quic({ compat: "msg-rs" });
    const { address, refused } = await listen(transport);
    const error = await dialFailure(new Quic({ pins: transport.pin }), address);
    expect(error.message).toContain(
      "no protocol in common: perhaps only one end has compat (0x178)",
    );
    await waitFor(() => refused.length === 1, { what: "the listener tells of it" });
    expect(refused[0]?.error).toMatchObject({ code: "MSG_PROTOCOL" });
  });

  it("fails at once where the host says that nobody listens, and names why", async () => {
    const { listener, address } = await listen(new Quic());
    await listener.close();
    const error = await dialFailure(new Quic(), address);
    expect(error.message).toBe(`no connection to ${address}: ECONNREFUSED`);
  });

  it("fails when nobody answers within handshakeTimeoutMs", async () => {
    const { createSocket } = await import("node:dgram");
    const silent = createSocket("udp4");
    await new Promise<void>((resolve) => {
      silent.bind(0, "127.0.0.1", resolve);
    });
    const dialing = new Quic({ handshakeTimeoutMs: 100 });
    const error = await dialFailure(dialing, `127.0.0.1:${silent.address().port}`);
    silent.close();
    expect(error.message).toContain("QUIC handshake took over 100 ms");
    expect(error.cause).toMatchObject({ code: "MSG_HANDSHAKE_TIMEOUT" });
  });

  it("tries all addresses of a name, and names why each failed", async () => {
    const { listener, port } = await listen(new Quic());
    await listener.close();
    const error = await dialFailure(new Quic({ lookup: forward }), `orders.example:${port}`);
    expect(error.message).toContain(`no connection to orders.example:${port}`);
    expect(error.message).toContain(`127.0.0.1:${port}: ECONNREFUSED`);
    expect(error.message).toContain(`127.0.0.2:${port}: ECONNREFUSED`);
  });

  it("goes on to the next address when the first fails", async () => {
    const transport = new Quic();
    const listening = await listen(transport, "127.0.0.1:0");
    const dialing = new Quic({ lookup: backward, pins: transport.pin });
    const { dialed } = await linkOver(dialing, listening, `orders.example:${listening.port}`);
    expect(dialed.link.remoteAddress).toBe(listening.address);
  });
});

describe("a listener of QUIC", { timeout: 30_000 }, () => {
  expectNoLeaks();

  const requiring: QuicOptions = { ...serverIdentity, ...trusting, clientCertificates: "required" };

  it("knows who its client is, by the certificate that it required", async () => {
    const listening = await listen(new Quic(requiring));
    const dialing = new Quic({ ...trusting, ...clientIdentity });
    const { accepted } = await linkOver(dialing, listening, listening.address);
    expect(accepted.link.certificate).toBeInstanceOf(PeerCertificate);
    expect(accepted.link.certificate).toMatchObject({
      authorized: true,
      commonName: "alice",
      subjectAltNames: ["URI:spiffe://example/alice"],
    });
  });

  it.each([
    [
      "of another authority",
      async () => stranger.issue({ commonName: "mallory", usage: "client" }),
    ],
    ["that signs itself", async () => TestAuthority.selfSigned({ commonName: "mallory" })],
    [
      "that has expired",
      async () =>
        authority.issue({ validFrom: inHours(-2), validTo: inHours(-1), usage: "client" }),
    ],
    [
      "that is for servers only",
      async () => authority.issue({ commonName: "orders", usage: "server" }),
    ],
  ] as const)("refuses a client with a certificate %s, and gives no link", async (_, issue) => {
    const listening = await listen(new Quic(requiring));
    const dialed = await dial(new Quic({ ...trusting, ...(await issue()) }), listening.address);
    say(dialed, "let me in");
    await waitFor(() => dialed.isClosed, { what: "the client is told" });
    expect(dialed.reason).toMatchObject({ code: "MSG_PEER_LOST" });
    await waitFor(() => listening.refused.length === 1, { what: "the listener tells of it" });
    expect(listening.refused[0]?.error).toMatchObject({ code: "MSG_AUTH_REJECTED" });
    expect(listening.links).toEqual([]);
  });

  it("takes clients by their pins, without an authority", async () => {
    const alice = await TestAuthority.selfSigned({ commonName: "alice" });
    const mallory = await TestAuthority.selfSigned({ commonName: "mallory" });
    const transport = new Quic({ clientCertificates: "required", pins: new Quic(alice).pin });
    const listening = await listen(transport);
    const dialing = new Quic({ ...alice, pins: transport.pin });
    const { accepted } = await linkOver(dialing, listening, listening.address);
    expect(accepted.link.certificate).toMatchObject({ authorized: true, commonName: "alice" });
    const refused = await dial(new Quic({ ...mallory, pins: transport.pin }), listening.address);
    await waitFor(() => refused.isClosed, { what: "the other one is told" });
    expect(refused.reason).toMatchObject({ code: "MSG_PEER_LOST" });
    expect(listening.refused[0]?.error.message).toContain("is none of pins");
  });

  it("goes by new certificates from the next handshake on, and leaves links as they are", async () => {
    const transport = new Quic(serverIdentity);
    const listening = await listen(transport);
    const dialing = new Quic(trusting);
    const first = await linkOver(dialing, listening, listening.address);
    const renewed = await stranger.issue({ ips: ["127.0.0.1"], commonName: "renewed" });
    transport.setCertificates(renewed);
    expect(() => transport.setCertificates({ cert: "nothing" })).toThrow("cert has no certificate");
    await dialFailure(new Quic(trusting), listening.address);
    dialing.setCertificates({ ca: [stranger.cert] });
    const second = await linkOver(dialing, listening, listening.address);
    expect(second.dialed.link.certificate).toMatchObject({ commonName: "renewed" });
    expect(first.dialed.isClosed).toBe(false);
  });

  it("reads a key that is encrypted", async () => {
    const encrypted = await authority.issue({ ips: ["127.0.0.1"], passphrase: "open sesame" });
    const transport = new Quic({ ...encrypted, passphrase: "open sesame" });
    const listening = await listen(transport);
    await linkOver(new Quic(trusting), listening, listening.address);
    expect(() => new Quic({ ...encrypted, passphrase: "wrong" })).toThrow("key could not be read");
  });

  it("is refused an address that no host has, and names it", async () => {
    const handlers = { onLink: () => {}, onError: () => {}, onRefused: () => {} };
    await expect(new Quic().listen("203.0.113.1:4444", handlers)).rejects.toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: "cannot listen on 203.0.113.1:4444: EADDRNOTAVAIL",
    });
    await expect(new Quic().dial("127.0.0.1:0", never)).rejects.toThrow(
      "port 0 is for listening only",
    );
    await expect(new Quic().dial("*:4444", never)).rejects.toThrow("host * is for listening only");
  });
});
