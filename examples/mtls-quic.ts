/**
 * Mutual TLS inside QUIC without any authority: both ends know each other by the pins of their keys.
 */
import { Quic, RepSocket, ReqSocket, SelfSignedIdentity } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { name } = exampleOptions();
if (name !== "quic") console.log(`this example is about quic: it does not use ${name}`);

// In an application each of them is made once, on its own machine, and kept in files. Only pins travel.
const till = new SelfSignedIdentity();
const office = new SelfSignedIdentity();
const stranger = new SelfSignedIdentity();

// Without cert and key the service makes its own.
const transport = new Quic({
  clientCertificates: "required",
  pins: [till.pin, office.pin],
});
await using rep = new RepSocket(transport);
rep.on("refused", ({ error }) => console.log(`stock: refused a client, ${error.code}`));
rep.serve((request) => `${request.text()}: 7 left`);
const address = await rep.bind("127.0.0.1:0");

const clients = { till, office };
for (const [who, { cert, key }] of Object.entries(clients)) {
  await using req = new ReqSocket(new Quic({ cert, key, pins: transport.pin }));
  await req.connect(address);
  console.log(`${who}: ${(await req.request("umbrellas")).text()}`);
}

/** Connects where it must fail, and tells why it does. */
async function failureOf(client: Quic): Promise<string> {
  await using req = new ReqSocket(client);
  const retry = req.once("retrying");
  await req.connect(address);
  return (await retry).error.code;
}

const { cert, key } = stranger;
const refused = rep.once("refused");
console.log(`stranger: ${await failureOf(new Quic({ cert, key, pins: transport.pin }))}`);
await refused;

// Somebody else behind the address: the key is not the one that the till knows.
const expected = { cert: till.cert, key: till.key, pins: stranger.pin };
console.log(`till, of another service: ${await failureOf(new Quic(expected))}`);
