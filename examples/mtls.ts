/**
 * Mutual TLS: clients prove who they are by a certificate, and each may do what its name allows.
 */
import type { PeerInfo } from "msg-ts";
import { certificateOf, RepSocket, ReqSocket, Tls } from "msg-ts";
import { TestAuthority } from "./support/certificates.ts";
import { exampleOptions } from "./support/options.ts";

const { name } = exampleOptions();
if (name !== "tls") console.log(`this example is about tls: it does not use ${name}`);

const authority = await TestAuthority.create("example authority");
const ca = authority.cert;

// The name that a certificate is issued for, and not its common name, which people type.
const rights = new Map([
  ["URI:spiffe://example/billing", ["read", "write"]],
  ["URI:spiffe://example/report", ["read"]],
]);

await using rep = new RepSocket(
  new Tls({
    ...(await authority.issue({ commonName: "ledger", ips: ["127.0.0.1"] })),
    ca,
    clientCertificates: "required",
  }),
  {
    // TLS has verified the certificate. This decides what it is good for.
    authenticator: ({ peer }) => {
      const found = certificateOf(peer)?.subjectAltNames.find((uri) => rights.has(uri));
      return found !== undefined && { identity: found, rights: rights.get(found) };
    },
  },
);
rep.on("refused", ({ error }) => console.log(`ledger: refused a client, ${error.code}`));
const address = await rep.bind("127.0.0.1:0");

function mayDo(peer: PeerInfo, right: string): boolean {
  const { rights: granted } = peer.claims;
  return Array.isArray(granted) && granted.includes(right);
}

rep.serve((request) => {
  const verb = request.text();
  const { peer } = request;
  return mayDo(peer, verb) ? `${verb}: done` : `${verb}: not for ${peer.identity}`;
});

for (const role of ["billing", "report"]) {
  const identity = await authority.issue({ uris: [`spiffe://example/${role}`] });
  // The token is empty: the certificate says it all, but an authenticator wants to be asked.
  await using req = new ReqSocket(new Tls({ ...identity, ca }), { authToken: "" });
  await req.connect(address);
  for (const verb of ["read", "write"]) {
    console.log(`${role}: ${(await req.request(verb)).text()}`);
  }
}

/** Connects where it must fail, and waits until both ends know. */
async function refusalOf(who: string, transport: Tls): Promise<void> {
  await using req = new ReqSocket(transport, { authToken: "" });
  const [retry, refused] = [req.once("retrying"), rep.once("refused")];
  await req.connect(address);
  await refused;
  console.log(`${who}: ${(await retry).error.code}`);
}

await refusalOf("nobody", new Tls({ ca }));
const other = await TestAuthority.create("other authority");
const forged = await other.issue({ uris: ["spiffe://example/billing"] });
await refusalOf("forger", new Tls({ ...forged, ca }));
const guest = await authority.issue({ uris: ["spiffe://example/guest"] });
await refusalOf("guest", new Tls({ ...guest, ca }));
