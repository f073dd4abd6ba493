/**
 * Publish and subscribe: topics with wildcards, and a subscriber that has heard enough.
 */
import { PubSocket, SubSocket } from "msg-ts";
import { exampleOptions } from "./support/options.ts";

const { transport, address } = exampleOptions();

await using pub = new PubSocket(transport());
const endpoint = await pub.bind(address("weather"));

await using celsius = new SubSocket(transport());
await using everything = new SubSocket(transport());
await celsius.connect(endpoint);
await everything.connect(endpoint);

// A promise of `subscribe` resolves when it is active there: nothing published afterwards is missed.
await celsius.subscribe("weather.*.temperature"); // `*` is one token
await everything.subscribe("weather.>"); // `>` is all the rest
for (const sub of [celsius, everything]) await sub.subscribe("end");

/** Prints what comes until the topic `end` does: each publisher's messages come in their order. */
async function print(name: string, sub: SubSocket): Promise<number> {
  let count = 0;
  for await (const message of sub) {
    if (message.topic === "end") break;
    console.log(`${name.padEnd(10)} ${message.topic} = ${message.text()}`);
    count++;
  }
  return count;
}

// `publish` gives a promise only when the caller should wait: `await` does right by both.
async function publish(bern: string, oslo: string): Promise<void> {
  await pub.publish("weather.bern.temperature", bern);
  await pub.publish("weather.oslo.temperature", oslo);
  await pub.publish("weather.oslo.wind", "fresh");
  await pub.publish("traffic.oslo", "nobody subscribed to this");
  await pub.publish("end", "");
}

await publish("21", "14");
const first = await Promise.all([print("celsius", celsius), print("everything", everything)]);
console.log(`celsius got ${first[0]}, everything got ${first[1]}`);

celsius.unsubscribe("weather.*.temperature");
// The publisher takes these in order: when it has confirmed this one, it has done the other.
await celsius.subscribe("weather.bern.wind");
console.log(`celsius now has ${celsius.subscriptions.join(" and ")}`);

await publish("22", "15");
const second = await Promise.all([print("celsius", celsius), print("everything", everything)]);
console.log(`celsius got ${second[0]}, everything got ${second[1]}`);
