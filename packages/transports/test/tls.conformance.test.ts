import { TestAuthority, testTransport } from "@msg-ts/testing";
import { Tls } from "@msg-ts/transports/tls";

const authority = await TestAuthority.create();
const identity = await authority.issue({ ips: ["127.0.0.1"] });

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  testTransport({
    name: "tls",
    create: () =>
      new Tls({ ...identity, ca: authority.cert, minVersion: version, maxVersion: version }),
    listenAddress: () => "127.0.0.1:0",
    badAddresses: ["localhost", "localhost:", ":4444", "localhost:65536", "::1:4444", "[::1]"],
  });
}
