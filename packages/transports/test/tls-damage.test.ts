import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Tls } from "@msg-ts/transports/tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { authority, clientIdentity, listen, serverIdentity, tlsClient } from "./tls-scene.ts";

/** What becomes of one piece of what a client says; `undefined` where its connection ends instead. */
type Damage = (piece: Buffer, at: number) => Buffer | undefined;

const damages: Readonly<Record<string, Damage>> = {
  "a wrong bit": (piece, at) => {
    piece[at] = (piece[at] ?? 0) ^ 4;
    return piece;
  },
  "a lost end": (piece, at) => piece.subarray(0, at),
  "a piece that comes twice": (piece) => Buffer.concat([piece, piece]),
  "a reset in the middle": () => undefined,
};

/** A proxy that damages one piece of every connection, each time at another place. */
async function damagingProxy(to: number, damage: Damage): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const turn = sockets.length / 2;
    const upstream = connect(to, "127.0.0.1");
    sockets.push(client, upstream);
    let piece = 0;
    for (const socket of [client, upstream]) socket.on("error", () => {});
    client.on("data", (chunk) => {
      const isDamaged = piece++ === turn % 2;
      const sent = isDamaged ? damage(chunk, (turn * 37) % chunk.length) : chunk;
      if (sent === undefined) upstream.resetAndDestroy();
      else upstream.write(sent);
    });
    upstream.on("data", (chunk) => client.write(chunk));
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("a handshake of %s with", (version) => {
  expectNoLeaks();

  it.each(Object.entries(damages))(
    "%s ends in one link or one refusal, whatever it hits",
    async (_, damage) => {
      const listening = await listen(
        new Tls({
          ...serverIdentity,
          ca: authority.cert,
          clientCertificates: "optional",
          handshakeTimeoutMs: 500,
        }),
      );
      const port = await damagingProxy(listening.port, damage);
      const count = 24;
      const clients = Array.from({ length: count }, () =>
        tlsClient(port, { ...clientIdentity, minVersion: version, maxVersion: version }),
      );
      const heard = (): number => listening.links.length + listening.refused.length;
      await waitFor(() => heard() >= count, { what: "all were heard of" });
      for (const { socket } of clients) socket.destroy();
      await waitFor(() => clients.every(({ isClosed }) => isClosed), { what: "all are gone" });
      expect(heard()).toBe(count);
      // Whoever was let in said nothing that was changed on the way.
      expect(listening.links.map(({ text }) => text).join("")).toBe("");
    },
  );
});
