import type { Socket } from "node:net";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import type { TlsOptions } from "@msg-ts/transports/tls";
import { Tls } from "@msg-ts/transports/tls";
import { describe, expect, it } from "vitest";
import type { Listening } from "./tls-scene.ts";
import {
  authority,
  clientIdentity,
  dial,
  dialFailure,
  hear,
  inHours,
  listen,
  never,
  securedClient,
  serverIdentity,
  stranger,
  tcpClient,
  tlsClient,
} from "./tls-scene.ts";

const ca = authority.cert;

function listenWith(options: TlsOptions = {}): Promise<Listening> {
  return listen(new Tls({ ...serverIdentity, ...options }));
}

async function waitForRefusals(listening: Listening, count: number): Promise<void> {
  await waitFor(() => listening.refused.length >= count, { what: `${count} peers were refused` });
  expect(listening.refused).toHaveLength(count);
}

/** A good client is served still, and nobody else was. */
async function expectServing(listening: Listening): Promise<void> {
  const before = listening.links.length;
  const client = await dial(new Tls({ ca, ...clientIdentity }), listening.address);
  client.link.write([new TextEncoder().encode("hello")]);
  await waitFor(() => listening.links[before]?.text === "hello", { what: "it is served" });
  expect(listening.links).toHaveLength(before + 1);
}

describe("a listener of Tls", () => {
  expectNoLeaks();

  it("asks for a certificate to show before it listens", async () => {
    const listening = new Tls({ ca }).listen("127.0.0.1:0", {
      onLink: () => {},
      onError: () => {},
      onRefused: () => {},
    });
    await expect(listening).rejects.toMatchObject({
      code: "MSG_INVALID_OPTION",
      message:
        "cannot listen on 127.0.0.1:0: cert and key are not given, nor sni; a SelfSignedIdentity has both",
    });
  });

  it.each([
    ["HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ["another protocol", "EHLO mail.example\r\n"],
    ["a frame of ours", Buffer.from("0300000000000000000000000000", "hex")],
    ["a record that is too long", Buffer.from(`160301ffff${"00".repeat(100)}`, "hex")],
    ["a handshake that is none", Buffer.from(`1603010010${"ab".repeat(16)}`, "hex")],
  ])("refuses a peer that speaks %s with MSG_PROTOCOL, once", async (_, bytes) => {
    const listening = await listenWith();
    const client = await tcpClient(listening.port);
    const { localPort } = client;
    client.resume();
    client.write(bytes);
    await waitForRefusals(listening, 1);
    expect(listening.refused[0]).toMatchObject({
      address: `127.0.0.1:${localPort}`,
      error: {
        code: "MSG_PROTOCOL",
        message: expect.stringMatching(/^no TLS with the peer: .* \(ERR_SSL_\w+\)$/) as string,
        cause: expect.any(Error) as Error,
      },
    });
    await waitFor(() => client.destroyed, { what: "its connection is closed" });
    await expectServing(listening);
  });

  it("refuses random bytes of every first byte, each once, and goes on", async () => {
    const listening = await listenWith({ handshakeTimeoutMs: 500 });
    for (let first = 0; first < 256; first += 5) {
      const client = await tcpClient(listening.port);
      client.resume();
      const bytes = Buffer.alloc(64, first * 7 + 3);
      bytes[0] = first;
      client.write(bytes);
    }
    await waitForRefusals(listening, 52);
    await expectServing(listening);
    expect(listening.refused).toHaveLength(52);
  });

  it("gives a silent peer handshakeTimeoutMs, and refuses it with MSG_HANDSHAKE_TIMEOUT", async () => {
    const listening = await listenWith({ handshakeTimeoutMs: 50 });
    const client = await tcpClient(listening.port);
    client.resume();
    await waitForRefusals(listening, 1);
    expect(listening.refused[0]?.error).toMatchObject({
      code: "MSG_HANDSHAKE_TIMEOUT",
      message: "TLS handshake took over 50 ms",
    });
    await waitFor(() => client.destroyed, { what: "its connection is closed" });
  });

  it("gives a peer that sends a byte now and then no more time", async () => {
    const listening = await listenWith({ handshakeTimeoutMs: 200 });
    const client = await tcpClient(listening.port);
    client.resume();
    // The beginning of a record of 512 bytes that never ends.
    client.write(Buffer.from("1603010200010001fc0303", "hex"));
    const dripping = setInterval(() => client.write(Buffer.alloc(1)), 20);
    await waitFor(() => client.destroyed, { what: "its connection is closed" }).finally(() => {
      clearInterval(dripping);
    });
    await waitForRefusals(listening, 1);
    expect(listening.refused[0]?.error).toMatchObject({ code: "MSG_HANDSHAKE_TIMEOUT" });
  });

  it("holds no more than maxHandshakes that are not done, and keeps its links", async () => {
    const maxHandshakes = 5;
    const listening = await listenWith({ maxHandshakes });
    const served = await dial(new Tls({ ca }), listening.address);
    await waitFor(() => listening.links.length === 1, { what: "the link has arrived" });
    const flood = await Promise.all(Array.from({ length: 30 }, () => tcpClient(listening.port)));
    for (const client of flood) client.resume();
    await waitForRefusals(listening, 25);
    for (const { error } of listening.refused) {
      expect(error).toMatchObject({
        code: "MSG_TOO_MANY_PEERS",
        message: "5 TLS handshakes are under way, maxHandshakes is 5",
      });
    }
    const standing = (): number => flood.filter((client) => !client.destroyed).length;
    await waitFor(() => standing() === maxHandshakes, { what: "the others know" });
    served.link.write([new TextEncoder().encode("still here")]);
    await waitFor(() => listening.links[0]?.text === "still here", { what: "its link lives" });
    for (const client of flood) client.destroy();
    await waitForRefusals(listening, 30);
    await expectServing(listening);
  });

  it("refuses a peer that leaves or resets in its handshake with MSG_PEER_LOST", async () => {
    const listening = await listenWith();
    const leave: ((client: Socket) => void)[] = [
      (client) => client.end(),
      (client) => client.end(Buffer.from("1603010200", "hex")),
      (client) => client.resetAndDestroy(),
      (client) => client.destroy(),
    ];
    for (const [index, leaves] of leave.entries()) {
      const client = await tcpClient(listening.port);
      client.resume();
      leaves(client);
      await waitForRefusals(listening, index + 1);
      expect(listening.refused[index]?.error.code).toBe("MSG_PEER_LOST");
    }
    await expectServing(listening);
  });

  it("hears of a client that refuses its certificate", async () => {
    const listening = await listenWith();
    await dialFailure(new Tls({ ca: stranger.cert }), listening.address);
    await waitForRefusals(listening, 1);
    expect(listening.refused[0]?.error).toMatchObject({
      code: "MSG_PEER_LOST",
      message: "peer left during the TLS handshake: perhaps it refuses our certificate",
    });
  });

  it("ends handshakes that are under way when it closes, without a word about them", async () => {
    const listening = await listenWith();
    const client = await tcpClient(listening.port);
    client.resume();
    const served = await dial(new Tls({ ca }), listening.address);
    await waitFor(() => listening.links.length === 1, { what: "the link has arrived" });
    await listening.listener.close();
    await waitFor(() => client.destroyed, { what: "the handshake is over" });
    served.link.write([new TextEncoder().encode("after")]);
    await waitFor(() => listening.links[0]?.text === "after", { what: "the link lives" });
    expect(listening.refused).toEqual([]);
  });
});

describe.each(["TLSv1.2", "TLSv1.3"] as const)("clientCertificates with %s", (version) => {
  expectNoLeaks();
  const minVersion = version;
  const maxVersion = version;
  const isLate = version === "TLSv1.3";

  /** Tries to get in. In TLS 1.3 a client's handshake is done before it is looked at. */
  async function refusalSeen(address: string, options: TlsOptions): Promise<string> {
    const transport = new Tls({ ca, minVersion, maxVersion, ...options });
    if (!isLate) return (await dialFailure(transport, address)).message;
    const heard = hear(await transport.dial(address, never));
    await waitFor(() => heard.isClosed, { what: "the client knows" });
    expect(heard.reason).toMatchObject({ code: "MSG_PEER_LOST" });
    expect(heard.hasPeerEnded).toBe(false);
    return heard.reason?.message ?? "";
  }

  it('lets in only who has a good one when they are "required"', async () => {
    const listening = await listenWith({ ca, clientCertificates: "required" });
    await expectServing(listening);
    expect(listening.refused).toEqual([]);
  });

  it.each(["required", "optional"] as const)(
    "refuses a certificate of another authority when they are %j, and its client may guess why",
    async (clientCertificates) => {
      const listening = await listenWith({ ca, clientCertificates });
      const identity = await stranger.issue({ commonName: "mallory" });
      const seen = await refusalSeen(listening.address, identity);
      expect(seen).toContain("perhaps it ");
      expect(seen).toContain("refuses our certificate");
      await waitForRefusals(listening, 1);
      expect(listening.refused[0]).toMatchObject({
        address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
        error: {
          code: "MSG_AUTH_REJECTED",
          message: expect.stringMatching(/^peer was refused: .*not in ca.* \([A-Z_]+\)$/) as string,
        },
      });
      await expectServing(listening);
    },
  );

  it.each(["required", "optional"] as const)(
    "refuses a certificate that has expired when they are %j",
    async (clientCertificates) => {
      const listening = await listenWith({ ca, clientCertificates });
      const identity = await authority.issue({ validFrom: inHours(-3), validTo: inHours(-2) });
      await refusalSeen(listening.address, identity);
      await waitForRefusals(listening, 1);
      expect(listening.refused[0]?.error).toMatchObject({
        code: "MSG_AUTH_REJECTED",
        message:
          "peer was refused: its certificate, or one of its chain, has expired (CERT_HAS_EXPIRED)",
      });
    },
  );

  it("refuses a certificate for servers only", async () => {
    const listening = await listenWith({ ca, clientCertificates: "required" });
    await refusalSeen(listening.address, await authority.issue({ usage: "server" }));
    await waitForRefusals(listening, 1);
    expect(listening.refused[0]?.error.message).toContain("(INVALID_PURPOSE)");
  });

  it('refuses who has none when they are "required", and says so to both', async () => {
    const listening = await listenWith({ ca, clientCertificates: "required" });
    const seen = await refusalSeen(listening.address, {});
    const alert = isLate ? "certificate required" : "handshake failure";
    expect(seen).toContain(`it sent the alert "${alert}", `);
    expect(seen).toContain("it wants a client certificate");
    await waitForRefusals(listening, 1);
    expect(listening.refused[0]?.error).toMatchObject({
      code: "MSG_AUTH_REJECTED",
      message:
        "no TLS with the peer: it showed no certificate (ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE)",
    });
    await expectServing(listening);
  });

  it('lets in who has none when they are "optional", without a certificate', async () => {
    const listening = await listenWith({ ca, clientCertificates: "optional" });
    await dial(new Tls({ ca, minVersion, maxVersion }), listening.address);
    await waitFor(() => listening.links.length === 1, { what: "the link has arrived" });
    expect(listening.links[0]?.link.certificate).toBeUndefined();
  });

  it('are not asked for when they are "none", though a client has one', async () => {
    const listening = await listenWith({ ca });
    const client = await securedClient(listening.port, {
      ...clientIdentity,
      minVersion,
      maxVersion,
    });
    await waitFor(() => listening.links.length === 1, { what: "the link has arrived" });
    expect(listening.links[0]?.link.certificate).toBeUndefined();
    client.socket.destroy();
  });

  it("refuses a whole crowd, each once", async () => {
    const listening = await listenWith({ ca, clientCertificates: "required" });
    const identity = await stranger.issue({ commonName: "mallory" });
    const crowd = Array.from({ length: 20 }, (_, index) =>
      tlsClient(listening.port, {
        minVersion,
        maxVersion,
        ...(index % 2 === 0 ? identity : {}),
      }),
    );
    await waitFor(() => crowd.every(({ isClosed }) => isClosed), { what: "all are gone" });
    await waitForRefusals(listening, 20);
    expect(new Set(listening.refused.map(({ address }) => address)).size).toBe(20);
    expect(new Set(listening.refused.map(({ error }) => error.code))).toEqual(
      new Set(["MSG_AUTH_REJECTED"]),
    );
    expect(listening.links).toEqual([]);
  });
});
