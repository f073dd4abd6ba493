import type { Socket } from "node:dgram";
import dgram from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";
import { Quic } from "@msg-ts/transports/quic";
import { expectNoLeaks, udpProxy, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { heardAll, quicPair, roundTrip } from "./quic-scene.ts";
import { dial, listen } from "./tls-scene.ts";

expectNoLeaks();

/** Each change may cost a probe timeout or two, on a busy machine far more. */
const patienceMs = 20_000;

/** As long as these tests may wait on a busy machine: what they show is no matter of 15 s. */
const patient = { idleTimeoutMs: 30_000 };

/** A link through a proxy that can change the address of the dialer. */
async function proxiedLink() {
  const transport = new Quic(patient);
  const { links, address } = await listen(transport);
  const proxy = await udpProxy({ to: address });
  onTestFinished(() => proxy.close());
  const dialed = await dial(new Quic({ pins: transport.pin, ...patient }), proxy.address);
  dialed.link.write([new TextEncoder().encode("hello")]);
  await waitFor(() => links[0]?.text === "hello", { what: "the listener has the link" });
  const accepted = links[0];
  if (accepted === undefined) throw new Error("there is no link");
  return { proxy, dialed, accepted };
}

describe("a link over QUIC whose dialer's address changes", { timeout: 120_000 }, () => {
  it("lives on, whoever speaks first behind that, at least 15 times", async () => {
    const { proxy, dialed, accepted } = await proxiedLink();
    for (let change = 1; change <= 15; change++) {
      await proxy.changePorts();
      dialed.link.write([new TextEncoder().encode(`<${change}`)]);
      const there = { what: `${change} came there`, withinMs: patienceMs };
      await waitFor(() => accepted.text.endsWith(`<${change}`), there);
      accepted.link.write([new TextEncoder().encode(`${change}>`)]);
      const back = { what: `${change} came back`, withinMs: patienceMs };
      await waitFor(() => dialed.text.endsWith(`${change}>`), back);
    }
    expect([dialed.isClosed, accepted.isClosed]).toEqual([false, false]);
    expect(proxy.portChangeCount).toBe(15);
  });
});

describe("a link over QUIC whose dialer looks for another way", { timeout: 60_000 }, () => {
  const length = 16 * 1024 * 1024;

  it("goes on soon behind a blackout in the middle of what it sends", async () => {
    const options = { dialing: patient, listening: patient };
    const { proxy, dialed, accepted } = await quicPair(options);
    dialed.link.write([new Uint8Array(length).fill(0x61)]);
    await waitFor(() => accepted.text.length > length / 8, { what: "it is under way" });
    // Both ways, until it has asked from a second socket: that one it once gave up at the same moment.
    proxy.block();
    await waitFor(() => proxy.clientCount === 2, { what: "it looks", withinMs: 15_000 });
    const missing = length - accepted.text.length;
    expect(missing).toBeGreaterThan(length / 8);
    proxy.open();
    // The wait of a sender doubles, so it can take as long again; the idle timeout is 30 s.
    await heardAll(accepted, length, 12_000);
    await roundTrip(dialed, accepted, "after");
    expect([dialed.isClosed, accepted.isClosed]).toEqual([false, false]);
  });

  it("lives on while the system knows no way to its peer, which says nothing of the peer", async () => {
    const made: Socket[] = [];
    const { createSocket } = dgram;
    vi.spyOn(dgram, "createSocket").mockImplementation(((options: "udp4") => {
      const socket = createSocket(options);
      made.push(socket);
      return socket;
    }) as typeof createSocket);
    onTestFinished(() => void vi.restoreAllMocks());
    const { proxy, dialed, accepted } = await quicPair();
    const isDialers = (socket: Socket): boolean => {
      try {
        return socket.remoteAddress().port === Number(proxy.address.split(":").at(-1));
      } catch {
        return false;
      }
    };
    const dialers = made.filter(isDialers);
    expect(dialers.length).toBe(1);
    proxy.block();
    const error = Object.assign(new Error("send ENETUNREACH"), { code: "ENETUNREACH" });
    dialers[0]?.emit("error", error);
    dialed.link.write([new TextEncoder().encode("anybody?")]);
    await waitFor(() => proxy.clientCount === 2, { what: "it looks", withinMs: 15_000 });
    // Longer than a peer is given that is taken to be gone.
    await pause(500);
    proxy.open();
    await heardAll(accepted, "anybody?".length);
    await roundTrip(dialed, accepted, "after");
    expect([dialed.isClosed, accepted.isClosed]).toEqual([false, false]);
  });

  it("stays on its socket when the peer is heard there again", async () => {
    const { proxy, dialed, accepted } = await quicPair();
    proxy.block("toClient");
    dialed.link.write([new TextEncoder().encode("anybody?")]);
    await waitFor(() => proxy.clientCount === 2, { what: "it looks", withinMs: 15_000 });
    const before = proxy.counts.toServer.received;
    proxy.open();
    for (let count = 0; count < 20; count++) await roundTrip(dialed, accepted, "after");
    // Nothing leaves twice any more.
    expect(proxy.counts.toServer.received - before).toBeLessThan(20 * 3);
    expect(proxy.clientCount).toBe(2);
  });
});
