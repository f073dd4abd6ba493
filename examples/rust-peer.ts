/**
 * A service in Node.js and one in Rust on the wire of msg-rs, with no gateway between.
 *
 * Without Rust it plays the other side itself. With Rust:
 *
 *   cargo build --manifest-path test/interop/msg-rs/Cargo.toml
 *   npm run example rust-peer -- test/interop/msg-rs/target/debug/msg-rs-peer
 *
 * By hand, in other terminals, the other side is
 *
 *   msg-rs-peer rep --transport tcp --address 127.0.0.1:4444
 *   msg-rs-peer sub --transport tcp --address 127.0.0.1:4445 --topic 'ticks.>'
 *
 * What msg-rs can and cannot: docs/interop/msg-rs.md.
 */
import { PubSocket, ReqSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";
import { ownSide, rustSide } from "./support/rust-peer.ts";

const { name, transport, knownAddress, rest } = exampleOptions();
const [program] = rest;
const other = program === undefined ? ownSide(transport) : rustSide(program, name);
console.log(`the other side is ${other.name}`);

// msg-rs' REP binds and its REQ dials, never the other way round. Ours do both.
const service = await knownAddress("service");
await other.echo(service);
const req = new ReqSocket(transport(), { retry: true });
await req.connect(service);
const reply = await req.request("how much is eth?", { timeoutMs: 5_000 });
console.log(`the other side answered: ${reply.text()}`);

const pub = new PubSocket(transport());
const feed = await knownAddress("feed");
await pub.bind(feed);
const received = await other.count(feed, "ticks.>");
// A SUB of msg-rs tells what it wants when it has connected: until then nothing would arrive.
await pub.waitForSubscriber("ticks.eth", { timeoutMs: 5_000 });
const ticks = ["1900.5", "1900.7", "1901"];
for (const tick of ticks) await pub.publish("ticks.eth", tick);
while ((await received()) < ticks.length) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
console.log(`the other side counted ${await received()} of ${ticks.length} ticks`);

await Promise.all([req.close(), pub.close(), other.close()]);
