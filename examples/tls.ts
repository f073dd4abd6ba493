/**
 * TLS: a service that proves who it is, clients that check it, a certificate replaced in full swing.
 */
import { certificateOf, RepSocket, ReqSocket, Tls } from "msg-ts";
import { TestAuthority } from "./support/certificates.ts";
import { exampleOptions } from "./support/options.ts";

const { name } = exampleOptions();
if (name !== "tls") console.log(`this example is about tls: it does not use ${name}`);

const authority = await TestAuthority.create("example authority");
const names = { commonName: "orders", dns: ["localhost"], ips: ["127.0.0.1"] };

const server = new Tls(await authority.issue(names));
await using rep = new RepSocket(server);
rep.serve((request) => `hello, ${request.text()}`);
const address = await rep.bind("127.0.0.1:0");

await using alice = new ReqSocket(new Tls({ ca: authority.cert }));
await alice.connect(address);
const reply = await alice.request("alice");
console.log(`${certificateOf(reply.peer)?.commonName} says: ${reply.text()}`);

/** Why a client that trusts, or asks for, something else does not get in. */
async function whyNot(transport: Tls): Promise<string> {
  await using req = new ReqSocket(transport);
  const retry = req.once("retrying");
  await req.connect(address);
  const { error } = await retry;
  return `${error.code}, ${error.message.replace(/^.*?: /, "")}`;
}

// Nobody is trusted by default but the authorities that Node.js brings.
console.log(`without ca: ${await whyNot(new Tls())}`);
const ca = authority.cert;
console.log(`as bank.example: ${await whyNot(new Tls({ ca, serverName: "bank.example" }))}`);

/** What a client that comes now is shown. */
async function serialNumber(): Promise<string | undefined> {
  await using req = new ReqSocket(new Tls({ ca }));
  await req.connect(address);
  return certificateOf((await req.request("bob")).peer)?.serialNumber;
}

// Links that stand stay as they are, new ones see the new certificate.
const before = await serialNumber();
server.setCertificates(await authority.issue(names));
const after = await serialNumber();
console.log(before === after ? "still the old certificate" : "bob sees the new certificate");
console.log((await alice.request("alice, again")).text());
console.log(`alice was connected ${alice.stats().connects} time`);
