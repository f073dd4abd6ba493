/** The suite of every transport, on the other engine. */
import { testTransport } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";
import { quinnEngine } from "./quinn-engine.ts";

testTransport({
  name: "quic",
  create: () => new Quic({ insecure: true }, quinnEngine({ congestion: "cubic" })),
  listenAddress: () => "127.0.0.1:0",
  badAddresses: ["127.0.0.1", "::1:4444", "[::1:4444", "127.0.0.1:65536", "host name:1", "*:x"],
});
