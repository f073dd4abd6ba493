import { Quic } from "@msg-ts/transports/quic";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { dial, listen } from "./tls-scene.ts";

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
});
