import { Quic } from "@msg-ts/transports/quic";
import { expectNoLeaks, udpProxy, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { dial, listen } from "./tls-scene.ts";

expectNoLeaks();

/** Each change may cost a probe timeout or two, on a busy machine far more. */
const patienceMs = 20_000;

/** A link through a proxy that can change the address of the dialer. */
async function proxiedLink() {
  const transport = new Quic();
  const { links, address } = await listen(transport);
  const proxy = await udpProxy({ to: address });
  onTestFinished(() => proxy.close());
  const dialed = await dial(new Quic({ pins: transport.pin }), proxy.address);
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
