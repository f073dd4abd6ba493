import { connect as connectTls } from "node:tls";
import { RepSocket, ReqSocket } from "@msg-ts/core";
import { expectNoLeaks, TestAuthority, waitFor } from "@msg-ts/testing";
import type { TlsIdentity } from "@msg-ts/transports/tls";
import { certificateOf, Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  authority,
  clientIdentity,
  dial,
  dialFailure,
  listen,
  securedClient,
  serverIdentity,
  stranger,
  tlsClient,
} from "./tls-scene.ts";

const ca = authority.cert;
const ips = ["127.0.0.1"];
const { cert, key } = serverIdentity;
const broken = cert.replace(/\n[^-]{20}/, "\n");
const other = await TestAuthority.selfSigned({ commonName: "other" });
const encrypted = await authority.issue({ passphrase: "open sesame" });

function commonNameOf({ link }: { link: { certificate?: unknown } }): string | undefined {
  return certificateOf(link)?.commonName;
}

/** The common name that a client sees who asks for this server name. */
async function shownTo(port: number, servername?: string): Promise<string | undefined> {
  const options = { rejectUnauthorized: false };
  const { socket } = await securedClient(
    port,
    servername === undefined ? options : { ...options, servername },
  );
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return typeof CN === "string" ? CN : undefined;
}

describe("setCertificates of Tls", () => {
  expectNoLeaks();

  it("holds for new links of every listener and leaves old ones alive", async () => {
    const server = new Tls(await authority.issue({ commonName: "first", ips }));
    const [one, two] = [await listen(server), await listen(server)];
    const old = await dial(new Tls({ ca }), one.address);
    server.setCertificates(await authority.issue({ commonName: "second", ips }));
    const client = new Tls({ ca });
    expect(commonNameOf(await dial(client, one.address))).toBe("second");
    expect(commonNameOf(await dial(client, two.address))).toBe("second");
    await waitFor(() => one.links.length === 2, { what: "both links have arrived" });
    old.link.write([new TextEncoder().encode("still here")]);
    await waitFor(() => one.links[0]?.text === "still here", { what: "the old link lives" });
    one.links[0]?.link.write([new TextEncoder().encode("both ways")]);
    await waitFor(() => old.text === "both ways", { what: "also the other way" });
    expect(commonNameOf(old)).toBe("first");
  });

  it("holds for listeners that come later", async () => {
    const server = new Tls(await authority.issue({ commonName: "first", ips }));
    server.setCertificates(await authority.issue({ commonName: "second", ips }));
    const { address } = await listen(server);
    expect(commonNameOf(await dial(new Tls({ ca }), address))).toBe("second");
  });

  it("gives a listener its first certificate", async () => {
    const transport = new Tls({ ca });
    transport.setCertificates(serverIdentity);
    const { address } = await listen(transport);
    expect(commonNameOf(await dial(transport, address))).toBe("orders");
  });

  it("changes what a dialer trusts, and what it shows", async () => {
    const { address, links } = await listen(
      new Tls({ ...serverIdentity, ca, clientCertificates: "optional" }),
    );
    const client = new Tls({ ca: stranger.cert });
    await dialFailure(client, address);
    client.setCertificates({ ca });
    await dial(client, address);
    client.setCertificates(clientIdentity);
    await dial(client, address);
    await waitFor(() => links.length === 2, { what: "both links have arrived" });
    expect(links.map(commonNameOf)).toEqual([undefined, "alice"]);
  });

  it("changes whose clients a listener lets in", async () => {
    const server = new Tls({ ...serverIdentity, ca, clientCertificates: "required" });
    const { address, links, refused } = await listen(server);
    const client = new Tls({ ...clientIdentity, ca });
    await dial(client, address);
    await waitFor(() => links.length === 1, { what: "the first link has arrived" });
    server.setCertificates({ ca: stranger.cert });
    const late = await dial(client, address);
    await waitFor(() => late.isClosed, { what: "the second is turned away" });
    await waitFor(() => refused.length === 1, { what: "and told" });
    expect(refused[0]?.error.code).toBe("MSG_AUTH_REJECTED");
    expect(links).toHaveLength(1);
  });

  it("throws for what cannot be used, and leaves the old ones in place", async () => {
    const server = new Tls(await authority.issue({ commonName: "first", ips }));
    const { address } = await listen(server);
    const second = await authority.issue({ commonName: "second", ips });
    const bad = [
      { cert: second.cert },
      { key: second.key },
      { cert: "nonsense", key: second.key },
      { cert: second.cert, key: second.key.replace(/\n[^-]{20}/, "\n") },
      { ca: "nonsense" },
      { sni: { "a.example": { cert: second.cert, key } } },
    ];
    for (const certificates of bad) {
      expect(() => server.setCertificates(certificates)).toThrow(
        expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
      );
    }
    expect(commonNameOf(await dial(new Tls({ ca }), address))).toBe("first");
    // Nothing of what failed has stayed behind.
    server.setCertificates(second);
    expect(commonNameOf(await dial(new Tls({ ca }), address))).toBe("second");
  });

  it("takes a renewed certificate of the same key alone", async () => {
    const first = await authority.issue({ commonName: "first", ips });
    const server = new Tls(first);
    const { address } = await listen(server);
    const second = await authority.issue({ commonName: "second", ips, key: first.key });
    server.setCertificates({ cert: second.cert });
    expect(commonNameOf(await dial(new Tls({ ca }), address))).toBe("second");
  });

  it("forgets the passphrase of the old key with the key", async () => {
    const passphrase = "open sesame";
    const server = new Tls({ ...encrypted, passphrase });
    server.setCertificates(serverIdentity);
    server.setCertificates({ ...encrypted, passphrase });
    expect(() => server.setCertificates({ ...encrypted, passphrase: undefined })).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
    );
  });

  it("loses nothing of live traffic, however often it is called", async () => {
    const identities = [serverIdentity, await authority.issue({ commonName: "orders", ips })];
    const server = new Tls({ ...serverIdentity, ca, clientCertificates: "required" });
    const rep = new RepSocket(server);
    rep.serve((request) => request.payload);
    const address = await rep.bind("127.0.0.1:0");
    const transport = new Tls({ ...clientIdentity, ca });
    const reqs = Array.from({ length: 3 }, () => new ReqSocket(transport, { timeoutMs: 20_000 }));
    onTestFinished(async () => {
      await Promise.all(reqs.map((req) => req.close()));
      await rep.close();
    });
    for (const req of reqs) await req.connect(address);
    await Promise.all(reqs.map((req) => req.request("first")));
    const before = reqs.flatMap((req) => req.peers.map(({ id }) => id));
    for (let round = 0; round < 20; round++) {
      const asking = reqs.flatMap((req) =>
        Array.from({ length: 20 }, (_, index) => req.request(`${round} ${index}`)),
      );
      server.setCertificates(identities[round % 2] ?? serverIdentity);
      transport.setCertificates(clientIdentity);
      const texts = (await Promise.all(asking)).map((reply) => reply.text());
      expect(new Set(texts).size).toBe(20);
    }
    expect(reqs.flatMap((req) => req.peers.map(({ id }) => id))).toEqual(before);
    expect(rep.stats()).toMatchObject({ disconnects: 0, refused: 0 });
  });
});

describe("sni of Tls", () => {
  expectNoLeaks();

  it("picks the certificate by the server name, and cert for all others", async () => {
    const { port } = await listen(
      new Tls({
        ...serverIdentity,
        sni: {
          "A.example": await authority.issue({ commonName: "a", dns: ["a.example"] }),
          "*.b.example": await authority.issue({ commonName: "b", dns: ["*.b.example"] }),
        },
      }),
    );
    expect(await shownTo(port, "a.example")).toBe("a");
    expect(await shownTo(port, "A.EXAMPLE")).toBe("a");
    expect(await shownTo(port, "x.b.example")).toBe("b");
    for (const name of [undefined, "c.example", "b.example", "x.y.b.example", "xa.example"]) {
      expect([name, await shownTo(port, name)]).toEqual([name, "orders"]);
    }
  });

  it("is enough to listen, and then refuses who asks for nothing it has", async () => {
    const a = await authority.issue({ commonName: "a", dns: ["a.example"] });
    const { port, refused } = await listen(new Tls({ sni: { "a.example": a } }));
    expect(await shownTo(port, "a.example")).toBe("a");
    const client = tlsClient(port);
    await waitFor(() => client.isClosed, { what: "it is turned away" });
    await waitFor(() => refused.length === 1, { what: "the listener told" });
    expect(refused[0]?.error).toMatchObject({ code: "MSG_PROTOCOL" });
  });

  it("may be a function, which is asked each time and may wait", async () => {
    const a = await authority.issue({ commonName: "a", dns: ["a.example"] });
    const asked: string[] = [];
    const sni = async (name: string): Promise<TlsIdentity | undefined> => {
      asked.push(name);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      return name === "a.example" ? a : undefined;
    };
    const { port } = await listen(new Tls({ ...serverIdentity, sni }));
    expect(await shownTo(port, "A.example")).toBe("a");
    expect(await shownTo(port, "b.example")).toBe("orders");
    expect(await shownTo(port, "a.example")).toBe("a");
    expect(asked).toEqual(["a.example", "b.example", "a.example"]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("no database");
      },
      { code: "MSG_HANDLER_FAILED", message: "sni failed", cause: { message: "no database" } },
    ],
    [
      "gives what is none",
      () => ({ cert: "nonsense", key: "nonsense" }),
      {
        code: "MSG_INVALID_OPTION",
        message: "sni of a.example: cert has no certificate in PEM form in it",
      },
    ],
    [
      "gives half of one",
      () => ({ cert }) as TlsIdentity,
      { code: "MSG_INVALID_OPTION", message: "sni of a.example: cert is given without key" },
    ],
  ])("refuses a peer when the function %s, and says why", async (_, sni, error) => {
    const { port, refused, links } = await listen(new Tls({ ...serverIdentity, sni }));
    const client = tlsClient(port, { servername: "a.example" });
    await waitFor(() => client.isClosed, { what: "it is turned away" });
    await waitFor(() => refused.length === 1, { what: "the listener told" });
    expect(refused[0]?.error).toMatchObject(error);
    expect(links).toEqual([]);
    await securedClient(port);
  });

  it("does no harm when the client has left before the function has answered", async () => {
    const answers: ((identity: TlsIdentity | undefined) => void)[] = [];
    const sni = (): Promise<TlsIdentity | undefined> =>
      new Promise((resolve) => {
        answers.push(resolve);
      });
    const { port, refused } = await listen(new Tls({ ...serverIdentity, sni }));
    const socket = connectTls({ port, host: "127.0.0.1", servername: "a.example" });
    socket.on("error", () => {});
    await waitFor(() => answers.length === 1, { what: "the function is asked" });
    socket.destroy();
    await waitFor(() => refused.length === 1, { what: "the listener knows that it left" });
    answers[0]?.(undefined);
    await securedClient(port);
    expect(refused).toHaveLength(1);
  });

  it("verifies clients by ca under every name", async () => {
    const a = await authority.issue({ commonName: "a", dns: ["a.example"] });
    const { address, port, links, refused } = await listen(
      new Tls({ ...serverIdentity, ca, clientCertificates: "required", sni: { "a.example": a } }),
    );
    const good = new Tls({ ...clientIdentity, ca, serverName: "a.example" });
    await dial(good, address);
    await waitFor(() => links.length === 1, { what: "the good one has arrived" });
    const identity = await stranger.issue({ commonName: "mallory" });
    const client = tlsClient(port, { ...identity, servername: "a.example" });
    await waitFor(() => client.isClosed, { what: "it is turned away" });
    await waitFor(() => refused.length === 1, { what: "the listener told" });
    expect(refused[0]?.error.code).toBe("MSG_AUTH_REJECTED");
    expect(links).toHaveLength(1);
  });
});

describe("certificates of Tls", () => {
  it("may be bytes, encrypted, and several to trust", async () => {
    const passphrase = "open sesame";
    const identity = await authority.issue({ ips, passphrase });
    const server = new Tls({
      cert: Buffer.from(identity.cert),
      key: Buffer.from(identity.key),
      passphrase,
    });
    const { address } = await listen(server);
    await dial(new Tls({ ca: Buffer.from(ca) }), address);
    await dial(new Tls({ ca: stranger.cert + ca }), address);
    const last = await dial(new Tls({ ca: [stranger.cert, Buffer.from(ca)] }), address);
    expect(last.link.certificate).toMatchObject({ authorized: true });
  });

  it.each([
    ["cert without key", { cert }, "cert is given without key"],
    ["key without cert", { key }, "key is given without cert"],
    [
      "text that is no certificate",
      { cert: "x", key },
      "cert has no certificate in PEM form in it",
    ],
    ["a key in the place of cert", { cert: key, key }, "cert has no certificate in PEM form in it"],
    ["a broken certificate", { cert: broken, key }, unreadable("cert")],
    ["a broken certificate in its chain", { cert: cert + broken, key }, unreadable("cert")],
    ["text that is no key", { cert, key: "x" }, unreadable("key")],
    ["a certificate in the place of key", { cert, key: cert }, unreadable("key")],
    ["the key of another", { cert, key: other.key }, "key does not belong to cert"],
    ["an encrypted key alone", { ...encrypted }, unreadable("key")],
    ["a wrong passphrase", { ...encrypted, passphrase: "x" }, unreadable("key")],
    ["a number as cert", { cert: 1, key }, "cert is number, must be PEM: a string or bytes"],
    [
      "a number as passphrase",
      { cert, key, passphrase: 1 },
      "passphrase is number, must be a string",
    ],
    ["text that is no ca", { ca: "x" }, "ca has no certificate in PEM form in it"],
    ["an empty list as ca", { ca: [] }, "ca is empty, must have a certificate"],
    ["a bad one in ca", { ca: [ca, key] }, "ca[1] has no certificate in PEM form in it"],
    ["a string as sni", { sni: "a.example" }, "sni is string, must be an object or function"],
    [
      "sni without key",
      { sni: { "a.example": { cert } } },
      "sni of a.example: cert is given without key",
    ],
    ["sni without anything", { sni: { a: {} } }, "sni of a: cert and key are not given"],
    [
      "clients' certificates without ca",
      { cert, key, clientCertificates: "required" },
      'clientCertificates is "required", must be "none" without ca',
    ],
  ])("are refused at once when there is %s, saying which", (_, options, message) => {
    expect(() => new Tls(options as never)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_OPTION",
        message,
      }),
    );
  });

  it.each([
    { cert: encrypted.cert, key: encrypted.key, passphrase: "a wrong secret" },
    { cert: encrypted.key, key: encrypted.key },
    { cert: cert.slice(0, 200) + encrypted.key, key: encrypted.key },
  ])("are never in an error, nor is the passphrase", (options) => {
    const { message, cause } = errorOf(() => new Tls(options));
    const text = `${message} ${(cause as Error | undefined)?.message}`;
    expect(text).not.toContain(encrypted.key.split("\n")[3]);
    expect(text).not.toContain("a wrong secret");
  });
});

function unreadable(name: string): string {
  return expect.stringMatching(new RegExp(`^${name} could not be read: .`)) as string;
}

function errorOf(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  return expect.fail("it did not throw");
}
