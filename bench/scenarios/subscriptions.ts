/** What 100,000 subscriptions cost the publisher that has to find who wants a topic. */
import type { Measures, Scenario } from "../harness/scenario.ts";
import { Counter } from "../peers/contender.ts";
import type { TopicTree } from "../../packages/core/src/socket/pub-sub/topic-tree.ts";

/** Of ten subscriptions eight are of one topic, one ends in `*`, and one in `>`. */
const kinds = 10;
const subscribers = 100;
const repeatedTopics = 64;
const repeatedMatches = 2_000_000;

function subscriptionOf(index: number): string {
  const exchange = `x${index % 97}`;
  if (index % kinds === 8) return `prices.${exchange}.s${index}.*`;
  if (index % kinds === 9) return `trades.${exchange}.s${index}.>`;
  return `prices.${exchange}.s${index}.last`;
}

/** One that has never been published, and matches this subscription. */
function topicOf(index: number): string {
  return subscriptionOf(index).replace(/\*$/, `n${index}`).replace(/>$/, `n${index}.q`);
}

/** The class itself, out of what is measured: built or sources. It is no part of the public API. */
async function newTree(): Promise<TopicTree<number>> {
  const core = import.meta.resolve("@msg-ts/core");
  const file = new URL(`socket/pub-sub/topic-tree${core.slice(-3)}`, core);
  const module = (await import(file.href)) as { TopicTree: typeof TopicTree };
  return new module.TopicTree<number>();
}

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** Matches in a row; gives nanoseconds for each. */
function timed(tree: TopicTree<number>, topics: readonly string[], matches: number): number {
  let found = 0;
  const startMs = performance.now();
  for (let index = 0; index < matches; index++) {
    found += tree.match(topics[index % topics.length] as string).length;
  }
  const nanos = ((performance.now() - startMs) * 1e6) / matches;
  if (found === 0) throw new Error("no topic matched");
  return nanos;
}

async function measure(count: number): Promise<Measures> {
  const tree = await newTree();
  const empty = heapBytes();
  for (let index = 0; index < count; index++) tree.add(subscriptionOf(index), index % subscribers);
  const bytes = (heapBytes() - empty) / count;
  const repeated = Array.from({ length: repeatedTopics }, (_, index) =>
    topicOf(Math.floor((index * count) / repeatedTopics)),
  );
  timed(tree, repeated, repeatedMatches / 10);
  const repeatedNanos = timed(tree, repeated, repeatedMatches);
  const fresh = Array.from({ length: count }, (_, index) => topicOf(index));
  const warm = fresh.splice(0, count / 2);
  timed(tree, warm, warm.length);
  const newNanos = timed(tree, fresh, fresh.length);
  return { repeatedNanos, newNanos, heapBytes: bytes };
}

/** In one process; the other one has nothing to do. */
export const subscriptions: Scenario = {
  title: "matching a topic with 100,000 subscriptions",
  count: 100_000,
  variantsOf: ({ name }) => (name === "ours" ? [""] : []),
  receiver: () => Promise.resolve({ counter: new Counter() }),
  sender: ({ settings }) =>
    Promise.resolve({ counter: new Counter(), run: () => measure(settings.count) }),
  drive: ({ sender }) => sender.ask("run") as Promise<Measures>,
};
