import { createHash, X509Certificate } from "node:crypto";
import { RepSocket, ReqSocket } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { certificateOf, PeerCertificate, Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { authority, clientIdentity, dial, listen, serverIdentity, stranger } from "./tls-scene.ts";

const ca = authority.cert;
const timeoutMs = 10_000;

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

describe("peer.certificate", () => {
  expectNoLeaks();

  it("tells both ends of a request who the other is", async () => {
    const server = new Tls({ ...serverIdentity, ca, clientCertificates: "required" });
    const rep = new RepSocket(server);
    rep.serve(({ peer }) => `hello ${certificateOf(peer)?.commonName}`);
    const req = new ReqSocket(new Tls({ ...clientIdentity, ca }), { timeoutMs });
    onTestFinished(async () => {
      await req.close();
      await rep.close();
    });
    await req.connect(await rep.bind("127.0.0.1:0"));
    const reply = await req.request("hi");
    expect(reply.text()).toBe("hello alice");
    const certificate = certificateOf(reply.peer);
    expect(certificate).toBe(reply.peer.certificate);
    expect(certificate).toMatchObject({ commonName: "orders", authorized: true });
  });

  it("is there before a peer is let in, for an authenticator to decide", async () => {
    const rep = new RepSocket(new Tls({ ...serverIdentity, ca, clientCertificates: "optional" }), {
      authenticator: ({ peer }) => {
        const names = certificateOf(peer)?.subjectAltNames ?? [];
        return names.includes("URI:spiffe://example/alice") && { identity: "alice" };
      },
    });
    rep.serve(({ peer }) => `hello ${peer.identity}`);
    const address = await rep.bind("127.0.0.1:0");
    const alice = new ReqSocket(new Tls({ ...clientIdentity, ca }), { authToken: "", timeoutMs });
    const nobody = new ReqSocket(new Tls({ ca }), { authToken: "", timeoutMs });
    onTestFinished(async () => {
      await Promise.all([alice.close(), nobody.close({ lingerMs: 0 })]);
      await rep.close();
    });
    await alice.connect(address);
    expect((await alice.request("hi")).text()).toBe("hello alice");
    const refusal = nobody.once("refused");
    await nobody.connect(address);
    expect((await refusal).error.code).toBe("MSG_AUTH_REJECTED");
  });

  it("is there for a hook, which asks clients for no token", async () => {
    const server = new Tls({ ...serverIdentity, ca, clientCertificates: "required" });
    const rep = new RepSocket(server, {
      hook: async ({ peer }) => ({ identity: certificateOf(peer)?.commonName ?? "nobody" }),
    });
    rep.serve(({ peer }) => `hello ${peer.identity}`);
    const req = new ReqSocket(new Tls({ ...clientIdentity, ca }), { timeoutMs });
    onTestFinished(async () => {
      await req.close();
      await rep.close();
    });
    await req.connect(await rep.bind("127.0.0.1:0"));
    expect((await req.request("hi")).text()).toBe("hello alice");
  });

  it("counts and tells peers that were refused in the TLS handshake", async () => {
    const rep = new RepSocket(new Tls({ ...serverIdentity, ca, clientCertificates: "required" }));
    const address = await rep.bind("127.0.0.1:0");
    const identity = await stranger.issue({ commonName: "mallory" });
    const reconnect = { minDelayMs: 1, maxDelayMs: 20, maxAttempts: 3 };
    const mallory = new ReqSocket(new Tls({ ...identity, ca }), { reconnect });
    onTestFinished(async () => {
      await mallory.close({ lingerMs: 0 });
      await rep.close();
    });
    const refusal = rep.once("refused");
    const givenUp = mallory.once("error");
    const retry = mallory.once("retrying");
    await mallory.connect(address);
    expect(await refusal).toMatchObject({ error: { code: "MSG_AUTH_REJECTED" } });
    // Refused every time, and never proven: it does not dial for ever.
    expect((await retry).error).toMatchObject({
      code: "MSG_PEER_LOST",
      message: expect.stringContaining("perhaps it refuses our certificate") as string,
    });
    expect((await givenUp).error.code).toBe("MSG_DIAL_FAILED");
    await waitFor(() => rep.stats().refused === 3, { what: "all three were counted" });
    expect(rep.peers).toEqual([]);
  });

  it("is undefined for a peer of another transport", async () => {
    const hub = new InprocHub();
    const rep = new RepSocket(new Inproc(hub));
    rep.serve(({ peer }) => String(certificateOf(peer) === undefined));
    const req = new ReqSocket(new Inproc(hub), { timeoutMs });
    onTestFinished(async () => {
      await req.close();
      await rep.close();
    });
    await req.connect(await rep.bind("here"));
    expect((await req.request("hi")).text()).toBe("true");
    expect(certificateOf({ certificate: { commonName: "orders" } })).toBeUndefined();
  });

  it("is made once for each link", async () => {
    const { address, links } = await listen(
      new Tls({ ...serverIdentity, ca, clientCertificates: "required" }),
    );
    const { link } = await dial(new Tls({ ...clientIdentity, ca }), address);
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    expect(link.certificate).toBe(link.certificate);
    expect(links[0]?.link.certificate).toMatchObject({ commonName: "alice", authorized: true });
  });
});

describe("PeerCertificate", () => {
  it("has what the certificate says", async () => {
    const validFrom = new Date("2024-02-03T04:05:06Z");
    const validTo = new Date("2034-02-03T04:05:06Z");
    const { cert } = await authority.issue({
      commonName: "orders",
      dns: ["orders.example", "*.orders.example"],
      ips: ["10.0.0.7"],
      uris: ["spiffe://example/orders"],
      emails: ["ops@example"],
      validFrom,
      validTo,
    });
    const x509 = new X509Certificate(cert);
    const certificate = new PeerCertificate(x509, true);
    expect(certificate).toMatchObject({
      authorized: true,
      commonName: "orders",
      subject: "CN=orders",
      issuer: "CN=trusted authority",
      subjectAltNames: [
        "DNS:orders.example",
        "DNS:*.orders.example",
        "IP Address:10.0.0.7",
        "URI:spiffe://example/orders",
        "email:ops@example",
      ],
      serialNumber: x509.serialNumber,
      validFrom,
      validTo,
    });
    expect(Buffer.compare(certificate.raw, x509.raw)).toBe(0);
    expect(certificate.sha256).toBe(sha256(x509.raw));
    expect(certificate.sha256).toBe(x509.fingerprint256.replaceAll(":", "").toLowerCase());
    const spki = x509.publicKey.export({ type: "spki", format: "der" });
    expect(certificate.publicKeySha256).toBe(sha256(spki));
    expect(certificate.publicKeySha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("has no common name and no names where there are none", async () => {
    const { cert } = await authority.issue();
    const certificate = new PeerCertificate(new X509Certificate(cert), true);
    expect(certificate).toMatchObject({ commonName: undefined, subject: "", subjectAltNames: [] });
  });

  it("does not take one name for two, or a name for another kind", async () => {
    const { cert } = await authority.issue({
      commonName: 'mallory\nCN=alice, O="x"',
      dns: ["plain.example"],
      uris: ["https://a.example/, DNS:bank.example", 'https://b.example/"q", URI:spiffe://x'],
    });
    const certificate = new PeerCertificate(new X509Certificate(cert), true);
    expect(certificate.subjectAltNames).toEqual([
      "DNS:plain.example",
      "URI:https://a.example/, DNS:bank.example",
      'URI:https://b.example/"q", URI:spiffe://x',
    ]);
    expect(certificate.subject.split("\n")).toHaveLength(1);
    expect(certificate.commonName).not.toBe("alice");
  });

  it("keeps publicKeySha256 when it is renewed for the same key, and nothing else of it", async () => {
    const first = await authority.issue({ commonName: "orders" });
    const second = await authority.issue({ commonName: "orders", key: first.key });
    const before = new PeerCertificate(new X509Certificate(first.cert), true);
    const after = new PeerCertificate(new X509Certificate(second.cert), true);
    expect(after.publicKeySha256).toBe(before.publicKeySha256);
    expect(after.sha256).not.toBe(before.sha256);
  });
});
