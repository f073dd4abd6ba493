import { RepSocket, ReqSocket } from "@msg-ts/core";
import { expectNoLeaks, udpProxy, waitFor } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import { describe, expect, it, onTestFinished } from "vitest";
import { linkOver, quicPair } from "./quic-scene.ts";
import { listen, serverIdentity } from "./tls-scene.ts";

/** As a process that has to wait for the CPU. */
function stall(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

/** Another instance listens there: the old one would hand its socket over. Gives the address. */
async function listenAnew(address: string): Promise<string> {
  const listener = await new Quic().listen(address, {
    onLink: (link) => link.destroy(),
    onError: () => {},
    onRefused: () => {},
  });
  await listener.close();
  return listener.address;
}

describe("the port of a closed listener", { timeout: 60_000 }, () => {
  expectNoLeaks({ withinMs: 5_000 });

  it("is free when the last of its links is closed, though their peers are silent", async () => {
    const { dialing, listening, proxy, accepted } = await quicPair();
    const other = await linkOver(dialing, listening, proxy.address);
    proxy.block();
    const closing = listening.listener.close();
    accepted.link.destroy();
    other.accepted.link.destroy();
    await closing;
    await waitFor(() => accepted.isClosed && other.accepted.isClosed, { what: "they are closed" });
    expect(await listenAnew(listening.address)).toBe(listening.address);
  });

  it("is free when its socket says so, also when the process stood still meanwhile", async () => {
    const transport = new Quic(serverIdentity);
    const rep = new RepSocket(transport);
    const address = await rep.bind("127.0.0.1:0");
    rep.serve((request) => request.payload);
    const proxy = await udpProxy({ to: address });
    const req = new ReqSocket(new Quic({ pins: transport.pin }));
    onTestFinished(async () => {
      await req.close({ lingerMs: 0 });
      await proxy.close();
    });
    await req.connect(proxy.address);
    await req.request("question");
    proxy.block();
    const closing = rep.close({ lingerMs: 100 });
    await new Promise((resolve) => setImmediate(resolve));
    stall(2_500);
    await closing;
    expect(await listenAnew(address)).toBe(address);
  });

  it("is the next listener's of the same instance while links live on it", async () => {
    const transport = new Quic();
    const first = await listen(transport);
    await linkOver(new Quic({ pins: transport.pin }), first, first.address);
    await first.listener.close();
    await expect(listenAnew(first.address)).rejects.toMatchObject({ code: "MSG_LISTEN_FAILED" });
    await listen(transport, first.address);
  });
});
