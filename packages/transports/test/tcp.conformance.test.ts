import { testTransport } from "@msg-ts/testing";
import { Tcp } from "@msg-ts/transports/tcp";

testTransport({
  name: "tcp",
  create: () => new Tcp(),
  listenAddress: () => "127.0.0.1:0",
  badAddresses: ["localhost", "localhost:", ":4444", "localhost:65536", "::1:4444", "[::1]"],
});
