import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expectNoLeaks, TestAuthority, waitFor } from "@msg-ts/testing";
import { Tcp } from "@msg-ts/transports/tcp";
import { Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  authority,
  dial,
  dialFailure,
  inHours,
  listen,
  never,
  securedClient,
  serverIdentity,
  stranger,
  tcpServer,
  tlsClient,
  tlsServer,
} from "./tls-scene.ts";

const ca = authority.cert;
const toLoopback = async (): Promise<string[]> => ["127.0.0.1"];

/** The file and all that it imports from beside it, and what those import from elsewhere. */
function importsOf(file: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/ from "([^"]+)"/g)) {
    if (name.startsWith(".")) importsOf(join(dirname(file), name), found);
    else found.add(name);
  }
  return found;
}

describe("the other transports", () => {
  it.each(["tcp", "ipc", "inproc"])("load nothing of TLS: %s", (name) => {
    const index = fileURLToPath(new URL(`../src/${name}/index.ts`, import.meta.url));
    const loaded = [...importsOf(index)];
    expect(loaded.length).toBeGreaterThan(3);
    expect(loaded.filter((path) => /node:tls|[/\\]src[/\\]tls[/\\]/.test(path))).toEqual([]);
  });
});

describe("addresses of Tls", () => {
  it.each([
    ["tls://localhost:4444", "localhost:4444"],
    ["TLS://[::1]:4444", "[::1]:4444"],
    ["*:4444", "*:4444"],
    ["10.0.0.1:0", "10.0.0.1:0"],
  ])("take %s as %s", (address, short) => {
    expect(new Tls().parseAddress(address)).toBe(short);
  });

  it("refuse the scheme of TCP", () => {
    expect(() => new Tls().parseAddress("tcp://localhost:4444")).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_ADDRESS",
        message: 'address "tcp://localhost:4444": its scheme is tcp, must be tls or absent',
      }),
    );
  });

  it.each(["127.0.0.1:0", "*:4444"])("do not dial %s", async (address) => {
    await expect(new Tls().dial(address, never)).rejects.toMatchObject({
      code: "MSG_INVALID_ADDRESS",
    });
  });
});

describe("a dialer of Tls", () => {
  expectNoLeaks();

  it("takes a server whose authority it was given, by address and by name", async () => {
    const { address, port, links } = await listen(new Tls(serverIdentity));
    const { link } = await dial(new Tls({ ca }), address);
    expect(link.remoteAddress).toBe(address);
    await dial(new Tls({ ca, lookup: toLoopback }), `orders.example:${port}`);
    await dial(new Tls({ ca: [stranger.cert, ca], lookup: toLoopback }), `ORDERS.example.:${port}`);
    await waitFor(() => links.length === 3, { what: "all links have arrived" });
  });

  it("does not take a server of an unknown authority, without being told to verify", async () => {
    const { address, links } = await listen(new Tls(serverIdentity));
    const { message, cause } = await dialFailure(new Tls(), address);
    expect(message).toMatch(
      new RegExp(`^no TLS with ${address}: .* not in ca.* \\((?:[A-Z_]+)\\)$`),
    );
    expect(cause).toBeInstanceOf(Error);
    expect(links).toEqual([]);
  });

  it("verifies also where the environment says not to", async () => {
    const { address } = await listen(new Tls(serverIdentity));
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    onTestFinished(() => void delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"]);
    const { message } = await dialFailure(new Tls(), address);
    expect(message).toContain("not in ca");
  });

  it("says which names a certificate is for when the name is wrong", async () => {
    const { port } = await listen(new Tls(serverIdentity));
    const transport = new Tls({ ca, lookup: toLoopback });
    const { message } = await dialFailure(transport, `wrong.example:${port}`);
    expect(message).toBe(
      `no TLS with wrong.example:${port}: its certificate is not for wrong.example, but for ` +
        "DNS:localhost, DNS:orders.example, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1 " +
        "(ERR_TLS_CERT_ALTNAME_INVALID)",
    );
  });

  it("does not take an address that the certificate is not for", async () => {
    const identity = await authority.issue({ dns: ["localhost"] });
    const { address } = await listen(new Tls(identity));
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toContain("its certificate is not for 127.0.0.1, but for DNS:localhost (");
  });

  it("verifies against serverName where it was given", async () => {
    const { address } = await listen(new Tls(serverIdentity));
    await dial(new Tls({ ca, serverName: "orders.example" }), address);
    await dial(new Tls({ ca, serverName: "127.0.0.1" }), address);
    const { message } = await dialFailure(new Tls({ ca, serverName: "bank.example" }), address);
    expect(message).toContain("its certificate is not for bank.example");
  });

  it("asks for the ASCII form of a name, and for none where it dials an address", async () => {
    const identity = await authority.issue({
      dns: ["xn--bcher-kva.example"],
      ips: ["127.0.0.1"],
    });
    const asked: unknown[] = [];
    const { address } = await tlsServer(identity, (socket) => asked.push(socket.servername));
    const port = address.split(":").at(-1);
    await dial(new Tls({ ca, lookup: toLoopback }), `bücher.example.:${port}`);
    await dial(new Tls({ ca }), address);
    await waitFor(() => asked.length === 2, { what: "the server saw both" });
    expect(asked).toEqual(["xn--bcher-kva.example", false]);
  });

  it("dials a wildcard as this host, and verifies its address", async () => {
    const { listener, links } = await listen(new Tls(serverIdentity), "0.0.0.0:0");
    const { link } = await dial(new Tls({ ca }), listener.address);
    await waitFor(() => links.length === 1, { what: "the link has arrived" });
    expect(link.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it.each([
    {
      what: "has expired",
      from: -3,
      to: -2,
      why: "its certificate, or one of its chain, has expired (CERT_HAS_EXPIRED)",
    },
    {
      what: "is not valid yet",
      from: 2,
      to: 3,
      why: "its certificate is not valid yet: compare the clocks (CERT_NOT_YET_VALID)",
    },
  ])("does not take a certificate that $what", async ({ from, to, why }) => {
    const ips = ["127.0.0.1"];
    const identity = await authority.issue({
      ips,
      validFrom: inHours(from),
      validTo: inHours(to),
    });
    const { address } = await listen(new Tls(identity));
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toBe(`no TLS with ${address}: ${why}`);
  });

  it("does not take a certificate for clients only", async () => {
    const identity = await authority.issue({ ips: ["127.0.0.1"], usage: "client" });
    const { address } = await listen(new Tls(identity));
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toContain("its certificate is not meant for this use (INVALID_PURPOSE)");
  });

  it("does not take an authority that only has the name of a trusted one", async () => {
    const impostor = await TestAuthority.create("trusted authority");
    const { address } = await listen(new Tls(await impostor.issue({ ips: ["127.0.0.1"] })));
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toContain(`no TLS with ${address}: `);
  });

  it("takes a self-signed certificate only when it was given as ca", async () => {
    const identity = await TestAuthority.selfSigned({ commonName: "own", ips: ["127.0.0.1"] });
    const { address } = await listen(new Tls(identity));
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toContain("its certificate is self-signed, and not in ca");
    await dial(new Tls({ ca: identity.cert }), address);
  });

  it("takes a chain, and not a certificate whose chain has a gap", async () => {
    const identity = await (await authority.intermediate()).issue({ ips: ["127.0.0.1"] });
    const whole = await listen(new Tls(identity));
    await dial(new Tls({ ca }), whole.address);
    const [leaf = ""] = identity.cert.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----/) ?? [];
    const gap = await listen(new Tls({ cert: leaf, key: identity.key }));
    const { message } = await dialFailure(new Tls({ ca }), gap.address);
    expect(message).toContain("the issuer of its certificate is unknown: not in ca, or missing");
  });

  it("takes anything when it is told not to verify, and says that it proves nothing", async () => {
    const identity = await TestAuthority.selfSigned({ commonName: "anybody" });
    const { address } = await listen(new Tls(identity));
    const { link } = await dial(new Tls({ rejectUnauthorized: false }), address);
    expect(link.certificate).toMatchObject({ authorized: false, commonName: "anybody" });
  });

  it("gives the server's certificate", async () => {
    const { address } = await listen(new Tls(serverIdentity));
    const { link } = await dial(new Tls({ ca }), address);
    expect(link.certificate).toMatchObject({ authorized: true, commonName: "orders" });
  });
});

describe("versions of TLS", () => {
  expectNoLeaks();

  it.each([
    ["TLSv1.2", { maxVersion: "TLSv1.2" }],
    ["TLSv1.3", { minVersion: "TLSv1.3" }],
    ["TLSv1.3", {}],
  ] as const)("are %s on both sides with %j", async (version, limits) => {
    const { port } = await listen(new Tls({ ...serverIdentity, ...limits }));
    const client = await securedClient(port);
    expect(client.socket.getProtocol()).toBe(version);
    const used: unknown[] = [];
    const { address } = await tlsServer({}, (socket) => used.push(socket.getProtocol()));
    await dial(new Tls({ ca, ...limits }), address);
    await waitFor(() => used.length === 1, { what: "the server is done" });
    expect(used).toEqual([version]);
  });

  it("that have nothing in common make no link, and both ends know why", async () => {
    const { address, refused } = await listen(
      new Tls({ ...serverIdentity, minVersion: "TLSv1.3" }),
    );
    const { message } = await dialFailure(new Tls({ ca, maxVersion: "TLSv1.2" }), address);
    expect(message).toContain(
      'it sent the alert "protocol version", no version of TLS in common (ERR_SSL_',
    );
    await waitFor(() => refused.length === 1, { what: "the listener knows" });
    expect(refused[0]?.error).toMatchObject({
      code: "MSG_PROTOCOL",
      message: expect.stringContaining("no version of TLS in common") as string,
    });
  });

  it("below 1.2 are not spoken by either side", async () => {
    const old = {
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    const { port, refused, links } = await listen(new Tls(serverIdentity));
    const client = tlsClient(port, old);
    await waitFor(() => client.isClosed, { what: "the old client is turned away" });
    await waitFor(() => refused.length === 1, { what: "the listener knows" });
    expect(links).toEqual([]);
    const { address } = await tlsServer(old);
    await dialFailure(new Tls({ ca }), address);
  });
});

describe("a dial of Tls that meets no TLS", () => {
  expectNoLeaks();

  it("says so when the server speaks first, in another language", async () => {
    const { address } = await tcpServer((socket) => socket.write("220 mail.example ready\r\n"));
    const { message, cause } = await dialFailure(new Tls({ ca }), address);
    expect(message).toBe(
      `no TLS with ${address}: its bytes are no TLS (${(cause as { code?: string }).code})`,
    );
  });

  it("fails at a listener of Tcp, which reads the handshake as a frame", async () => {
    const { listener, links } = await listen(new Tcp());
    const dialing = dialFailure(new Tls({ ca }), listener.address);
    await waitFor(() => links.length === 1, { what: "the listener has its link" });
    await waitFor(() => (links[0]?.text.length ?? 0) > 0, { what: "it has got bytes" });
    links[0]?.link.destroy();
    const { message } = await dialing;
    expect(message).toContain(`no TLS with ${listener.address}: `);
  });

  it("fails when the server leaves in the handshake", async () => {
    const { address } = await tcpServer((socket) => {
      socket.once("data", () => socket.end());
    });
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toBe(
      `no TLS with ${address}: it ended the connection in the handshake; perhaps it speaks no TLS, ` +
        "or refuses our certificate (ECONNRESET)",
    );
  });

  it("fails when the server resets the connection in the handshake", async () => {
    const { address } = await tcpServer((socket) => {
      socket.once("data", () => socket.resetAndDestroy());
    });
    const { message } = await dialFailure(new Tls({ ca }), address);
    expect(message).toContain("ECONNRESET");
  });

  it("waits for a silent server no longer than its signal, and leaves nothing open", async () => {
    const { address, sockets } = await tcpServer((socket) => socket.resume());
    const abort = new AbortController();
    const dialing = new Tls({ ca }).dial(address, abort.signal);
    await waitFor(() => sockets.length === 1, { what: "the server is dialed" });
    await waitFor(() => (sockets[0]?.bytesRead ?? 0) > 0, { what: "the handshake has begun" });
    abort.abort(new Error("enough"));
    await expect(dialing).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: `dial of ${address} was aborted`,
      cause: abort.signal.reason as unknown,
    });
    await waitFor(() => sockets[0]?.destroyed === true || sockets[0]?.readableEnded === true, {
      what: "the server sees it go",
    });
  });
});
