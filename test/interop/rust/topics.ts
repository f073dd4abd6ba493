import type { SubSocket } from "msg-ts";
import { expectEqual } from "../expect.ts";
import { numbered } from "../numbered.ts";
import type { Scene } from "../scene.ts";
import type { Carrier } from "./carriers.ts";
import type { OnStage, Runs } from "./pairs.ts";
import { hasReceived, isSubscribed, pairs, pause, scenesOf } from "./pairs.ts";

const manyTopics = Array.from({ length: 200 }, (_, index) => `topic.${index}`);

/** What a SUB of msg-rs sends of its topics when it connects: they go through a channel of 64. */
const mostAtConnect = 64;

/** Long enough for what was published to arrive; for what does not come. */
const quietMs = 300;

/** The topics of all messages that come until it is quiet. */
async function topicsOf(sub: SubSocket): Promise<readonly string[]> {
  const topics: string[] = [];
  for (;;) {
    const message = await sub.receive({ timeoutMs: quietMs }).catch(() => undefined);
    if (message === undefined) return topics;
    topics.push(message.topic);
  }
}

const published = ["a", "a.b", "a.b.c", "b.c"];

const wildcards: Runs = {
  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub();
    const args = ["a.>", "*.c"].flatMap((topic) => ["--topic", topic]);
    const peer = await ends.rust("sub", args, pub.address);
    for (const topic of ["a.x", "x.c"]) await isSubscribed(pub, topic);
    for (const topic of published) await pub.publish(topic, numbered(0, 8));
    await hasReceived(peer, 3);
    await pause(quietMs);
    const { topics } = await peer.subCounts();
    expectEqual("topics", topics, { "a.b": 1, "a.b.c": 1, "b.c": 1 });
    return { messages: 3, note: "`*` and `>` hold: our PUB does the matching" };
  },

  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub");
    const sub = await ends.sub(peer.address, ["a.>", "*.c", "x.y.z", "x.*.w"]);
    for (const topic of [...published, "x.y.z", "x.y.w", "x.v.w"]) {
      await peer.ask(`say ${topic} text`, "published");
    }
    expectEqual("topics", await topicsOf(sub), ["b.c", "x.y.z", "x.v.w"]);
    const note =
      "its PUB never matches `>`, and misses x.y.w when x.y.z and x.*.w are both subscribed";
    return { messages: 3, note };
  },
};

const many: Runs = {
  [pairs.tsSub]: async (ends) => {
    const peer = await ends.rust("pub");
    const sub = await ends.sub(peer.address, manyTopics);
    for (const topic of manyTopics) await peer.ask(`say ${topic} text`, "published");
    expectEqual("topics", await topicsOf(sub), manyTopics);
    return { messages: manyTopics.length };
  },

  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub();
    const args = manyTopics.flatMap((topic) => ["--topic", topic]);
    const peer = await ends.rust("sub", args, pub.address);
    await pause(quietMs);
    for (const topic of manyTopics) await pub.publish(topic, numbered(0, 8));
    await hasReceived(peer, 1);
    await pause(quietMs);
    const { received } = await peer.subCounts();
    expectEqual("topics that its SUB told at connect", received, mostAtConnect);
    const note = `of ${manyTopics.length} topics its SUB tells ${mostAtConnect} when it connects`;
    return { messages: received, note };
  },
};

const oneByOne: Runs = {
  [pairs.rustSub]: async (ends) => {
    const pub = await ends.pub();
    const peer = await ends.rust("sub", ["--topic", "first"], pub.address);
    await isSubscribed(pub, "first");
    for (const topic of manyTopics) {
      await peer.ask(`subscribe ${topic}`, "done");
      await isSubscribed(pub, topic);
    }
    for (const topic of manyTopics) await pub.publish(topic, numbered(0, 8));
    await hasReceived(peer, manyTopics.length);
    const [topic = ""] = manyTopics;
    await peer.ask(`unsubscribe ${topic}`, "done");
    await pause(quietMs);
    await pub.publish(topic, numbered(0, 8));
    await pub.publish("first", numbered(0, 8));
    await hasReceived(peer, manyTopics.length + 1);
    const { topics } = await peer.subCounts();
    expectEqual("after unsubscribing", topics[topic], 1);
    return { messages: manyTopics.length + 1 };
  },
};

/** What is subscribed to, and what arrives. */
export function topicScenes(carrier: Carrier, onStage: OnStage): readonly Scene[] {
  const frame = { carrier, onStage };
  return [
    ...scenesOf(wildcards, { what: "wildcards", ...frame }),
    ...scenesOf(many, { what: "200 topics at once", ...frame }),
    ...scenesOf(oneByOne, { what: "200 topics one by one", ...frame }),
  ];
}
