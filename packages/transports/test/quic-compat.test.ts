import { expectNoLeaks } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import { certificateOf, SelfSignedIdentity } from "@msg-ts/transports/tls";
import { describe, expect, it } from "vitest";
import { authority, dial, dialFailure, listen, serverIdentity, stranger } from "./tls-scene.ts";

const compat = "msg-rs";

describe("QUIC as msg-rs has it", () => {
  expectNoLeaks();

  it("looks at no certificate by itself, as msg-rs does, and says so", async () => {
    const { address } = await listen(new Quic({ compat }));
    const { link } = await dial(new Quic({ compat }), address);
    expect(certificateOf(link)?.authorized).toBe(false);
  });

  it("verifies a server when it is told whom to trust", async () => {
    const { address, port } = await listen(new Quic({ ...serverIdentity, compat }));
    for (const host of [address, `localhost:${port}`]) {
      const { link } = await dial(new Quic({ compat, ca: authority.cert }), host);
      expect(certificateOf(link)?.authorized).toBe(true);
    }
    const failure = await dialFailure(new Quic({ compat, ca: stranger.cert }), address);
    expect(failure.message).toContain("not in ca");
  });

  it("verifies a server by its key when it is told that", async () => {
    const transport = new Quic({ compat });
    const { address } = await listen(transport);
    await dial(new Quic({ compat, pins: transport.pin }), address);
    const other = new SelfSignedIdentity().pin;
    const failure = await dialFailure(new Quic({ compat, pins: other }), address);
    expect(failure.message).toContain("none of pins");
  });
});
