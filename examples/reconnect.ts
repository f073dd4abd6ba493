/**
 * Reconnecting: a publisher restarts, its subscriber finds it again and is told of the gap.
 */
import { PubSocket, SubSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, knownAddress } = exampleOptions();
const endpoint = await knownAddress("prices");

const sub = new SubSocket(transport(), { reconnect: { minDelayMs: 20, maxDelayMs: 200 } });
sub.on("disconnected", () => console.log("subscriber: the publisher is gone"));
sub.on("retrying", ({ attempt, delayMs }) => {
  console.log(`subscriber: attempt ${attempt + 1} in ${delayMs.toFixed(0)} ms`);
});
// `lost` is a number when messages were dropped on a live connection. Of what was published while
// there was none, nobody can know.
sub.on("gap", ({ lost }) => console.log(`subscriber: gap of ${lost ?? "unknown"} messages`));

// Neither the address nor the topic is given again further down.
await sub.connect(endpoint);
const active = sub.subscribe("prices.*");

const first = new PubSocket(transport());
await first.bind(endpoint);
await active;
await first.publish("prices.eth", "1900");
console.log(`subscriber: ${(await sub.receive()).text()} from the first publisher`);

await Promise.all([sub.once("disconnected"), first.close()]);

await using second = new PubSocket(transport());
await second.publish("prices.eth", "1950, which nobody can hear yet");
await second.bind(endpoint);
await second.waitForSubscriber("prices.eth");
await second.publish("prices.eth", "2000");
console.log(`subscriber: ${(await sub.receive()).text()} from the second publisher`);

await sub.close();
const { connects, uncountedGaps } = sub.stats();
console.log(`subscriber: connected ${connects} times, with ${uncountedGaps} gap nobody can count`);
