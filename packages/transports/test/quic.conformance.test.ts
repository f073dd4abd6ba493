import { testTransport } from "@msg-ts/testing";
import { Quic } from "@msg-ts/transports/quic";

testTransport({
  name: "quic",
  create: () => new Quic({ insecure: true }),
  listenAddress: () => "127.0.0.1:0",
  badAddresses: ["127.0.0.1", "::1:4444", "[::1:4444", "127.0.0.1:65536", "host name:1", "*:x"],
});
