import { Quic } from "@msg-ts/transports/quic";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PacketHeader } from "../src/quic/engine.ts";
import { quicheEngine } from "../src/quic/quiche-engine.ts";
import { linkOver, roundTrip } from "./quic-scene.ts";
import { dial, dialFailure, listen } from "./tls-scene.ts";

expectNoLeaks();

describe("a listener over QUIC that has its dialers prove their address", () => {
  it("hears what they say behind the handshake, and that they leave", async () => {
    const transport = new Quic({ retry: "always" });
    const { links, address } = await listen(transport);
    const dialed = await dial(new Quic({ pins: transport.pin }), address);
    for (let number = 0; number < 5; number++) {
      dialed.link.write([new TextEncoder().encode(String(number))]);
      const sent = "01234".slice(0, number + 1);
      await waitFor(() => links[0]?.text === sent, { what: "it has arrived" });
    }
    dialed.link.destroy();
    await waitFor(() => links[0]?.isClosed === true, { what: "the listener knows" });
    expect(links).toHaveLength(1);
  });

  it("does not give a token's connection to another one that has the token", async () => {
    const transport = new Quic({ retry: "always" });
    const listening = await listen(transport);
    const router = await thievishRouter(listening.port);
    const options = { pins: transport.pin, handshakeTimeoutMs: 1_000 };
    const { dialed, accepted } = await linkOver(new Quic(options), listening, router.address);
    await roundTrip(dialed, accepted, "before");
    router.steal();
    expect(await dialFailure(new Quic(options), router.address)).toMatchObject({
      code: "MSG_DIAL_FAILED",
    });
    expect(router.stolenCount).toBeGreaterThan(0);
    await roundTrip(dialed, accepted, "behind");
    expect(listening.links).toHaveLength(1);
  });
});

/**
 * Routes all dialers from one address, as a NAT can. Behind `steal` it answers first packets by
 * itself: with the token of the first dialer, and a connection id that is not the token's.
 */
async function thievishRouter(port: number) {
  const engine = quicheEngine();
  const [inside, outside] = [createSocket("udp4"), createSocket("udp4")];
  inside.bind(0, "127.0.0.1");
  outside.connect(port, "127.0.0.1");
  await Promise.all([once(inside, "listening"), once(outside, "connect")]);
  onTestFinished(() => {
    inside.close();
    outside.close();
  });
  let first = 0;
  let token: Uint8Array | undefined;
  let isStealing = false;
  const router = {
    address: `127.0.0.1:${inside.address().port}`,
    stolenCount: 0,
    steal: () => void (isStealing = true),
  };
  const answerInitial = (header: PacketHeader, to: number): void => {
    const into = Buffer.alloc(1_200);
    const length = engine.writeRetry(header, Buffer.alloc(16, 7), token ?? Buffer.alloc(0), into);
    inside.send(into.subarray(0, length), to, "127.0.0.1");
  };
  inside.on("message", (datagram, from) => {
    first ||= from.port;
    const header = engine.readHeader(datagram, 16);
    const isInitial = header?.kind === "initial";
    if (isInitial && header.token.length > 0) token ??= Buffer.from(header.token);
    const isOther = isStealing && from.port !== first;
    if (isOther && isInitial && header.token.length === 0) return answerInitial(header, from.port);
    if (isOther) router.stolenCount += 1;
    outside.send(datagram);
  });
  outside.on("message", (datagram) => inside.send(datagram, first, "127.0.0.1"));
  return router;
}
