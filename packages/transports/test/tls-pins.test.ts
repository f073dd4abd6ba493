import { RepSocket, ReqSocket } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { certificateOf, SelfSignedIdentity, Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  authority,
  clientIdentity,
  dial,
  dialFailure,
  inHours,
  listen,
  serverIdentity,
  tlsServer,
} from "./tls-scene.ts";

const ca = authority.cert;
const identity = new SelfSignedIdentity();
const { cert, key } = identity;
const other = new SelfSignedIdentity();

describe("pins of Tls", () => {
  expectNoLeaks();

  it("verify a service that made its own key and certificate", async () => {
    const server = new Tls(new SelfSignedIdentity());
    const rep = new RepSocket(server);
    rep.serve((request) => request.payload);
    const req = new ReqSocket(new Tls({ pins: server.pin }), { timeoutMs: 10_000 });
    onTestFinished(async () => {
      await req.close();
      await rep.close();
    });
    await req.connect(await rep.bind("127.0.0.1:0"));
    const reply = await req.request("hello");
    expect(reply.text()).toBe("hello");
    expect(certificateOf(reply.peer)?.authorized).toBe(true);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("verify in %s", async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    const { address } = await listen(new Tls({ cert, key, ...versions }));
    await dial(new Tls({ pins: [other.pin, identity.pin], ...versions }), address);
    const { message } = await dialFailure(new Tls({ pins: other.pin, ...versions }), address);
    expect(message).toBe(
      `no TLS with ${address}: the key of its certificate is none of pins, but ${identity.pin}`,
    );
  });

  it("hold for any certificate of the key, whatever it is for and until when", async () => {
    const expired = await authority.issue({ dns: ["elsewhere.example"], validTo: inHours(-1) });
    const { address } = await listen(new Tls(expired));
    const { pin } = new Tls(expired);
    await dial(new Tls({ pins: pin }), address);
    const failure = await dialFailure(new Tls({ ca }), address);
    expect(failure.message).toContain("has expired");
  });

  it("with ca ask for both, the key and who vouches for it", async () => {
    const { address } = await listen(new Tls(serverIdentity));
    const { pin } = new Tls(serverIdentity);
    await dial(new Tls({ ca, pins: pin }), address);
    const stranger = await dialFailure(new Tls({ ca: other.cert, pins: pin }), address);
    expect(stranger.message).toContain("not in ca");
    const failure = await dialFailure(new Tls({ ca, pins: identity.pin }), address);
    expect(failure.message).toContain(`none of pins, but ${new Tls(serverIdentity).pin}`);
  });

  it("let sessions be resumed, of verified servers alone", async () => {
    const resumed: boolean[] = [];
    const { address } = await tlsServer({ cert, key }, (socket) => {
      resumed.push(socket.isSessionReused());
      setImmediate(() => socket.write("hello"));
    });
    const transport = new Tls({ pins: identity.pin });
    const wrong = new Tls({ pins: other.pin });
    for (let round = 0; round < 2; round++) {
      const heard = await dial(transport, address);
      await waitFor(() => heard.text === "hello", { what: "the server has spoken" });
      expect(certificateOf(heard.link)?.authorized).toBe(true);
      await dialFailure(wrong, address);
    }
    expect(resumed.filter(Boolean)).toHaveLength(1);
  });

  it("can be replaced, and then hold for the next dial", async () => {
    const { address } = await listen(new Tls(identity));
    const client = new Tls({ pins: other.pin });
    await dialFailure(client, address);
    client.setCertificates({ pins: [other.pin, identity.pin] });
    await dial(client, address);
    client.setCertificates({ pins: other.pin });
    expect((await dialFailure(client, address)).message).toContain("none of pins");
  });

  it("go with a certificate of our own, for a listener that asks for one", async () => {
    const server = new Tls({ cert, key, ca, clientCertificates: "required" });
    const { address, links } = await listen(server);
    await dial(new Tls({ ...clientIdentity, pins: identity.pin }), address);
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    expect(certificateOf(links[0]?.link ?? {})?.commonName).toBe("alice");
  });

  it.each([
    [{ pins: [] }, "pins is empty, must be at least one pin: no server has none"],
    [
      { pins: "md5/x" },
      'pins is "md5/x", must be sha256/ and 44 characters of Base64: it does not begin with sha256/',
    ],
    [
      { pins: identity.pin, rejectUnauthorized: false },
      "rejectUnauthorized is false, must be true with pins",
    ],
  ])("%j are refused", (options, message) => {
    const make = (): Tls => new Tls(options);
    expect(make).toThrow(expect.objectContaining({ code: "MSG_INVALID_OPTION", message }));
  });
});

describe("pin of Tls", () => {
  it("is that of the certificate, and goes with it", async () => {
    const transport = new Tls(identity);
    expect(transport.pin).toBe(identity.pin);
    transport.setCertificates(other);
    expect(transport.pin).toBe(other.pin);
    expect(new Tls(await authority.issue({ key: other.key })).pin).toBe(other.pin);
  });

  it("is not there without a certificate, and the error says so", () => {
    expect(() => new Tls().pin).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_STATE",
        message: "there is no pin: cert and key are not given",
      }),
    );
  });
});
