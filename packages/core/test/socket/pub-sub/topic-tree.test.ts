import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopicTree } from "../../../src/socket/pub-sub/topic-tree.ts";

/** The grammar once more, by recursion, to be read and not to be fast. */
function matches(subscription: readonly string[], topic: readonly string[]): boolean {
  const [wanted, ...restWanted] = subscription;
  const [token, ...rest] = topic;
  if (wanted === ">" && restWanted.length === 0) return topic.length > 0;
  if (wanted === undefined || token === undefined) return wanted === token;
  return (wanted === "*" || wanted === token) && matches(restWanted, rest);
}

function naiveMatch(subscriptions: Iterable<readonly [string, number]>, topic: string): number[] {
  const found = new Set<number>();
  for (const [subscription, subscriber] of subscriptions) {
    if (matches(subscription.split("."), topic.split("."))) found.add(subscriber);
  }
  return [...found].toSorted((a, b) => a - b);
}

function sorted(found: readonly number[]): number[] {
  return found.toSorted((a, b) => a - b);
}

const token = fc.constantFrom("", "a", "b", "c");
const topics = fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join("."));
const subscriptions = fc
  .tuple(fc.array(fc.oneof(token, fc.constant("*")), { maxLength: 5 }), fc.boolean())
  .map(([tokens, hasTail]) => [...tokens, ...(hasTail ? [">"] : [])])
  .filter((tokens) => tokens.length > 0)
  .map((tokens) => tokens.join("."));

describe("TopicTree", () => {
  const table: [subscription: string, topic: string, isMatch: boolean][] = [
    ["a", "a", true],
    ["a", "a.b", false],
    ["a.b", "a", false],
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["*", "a", true],
    ["*", "a.b", false],
    ["a.*", "a.", true],
    ["a.*", "a", false],
    ["*.b", ".b", true],
    [">", "", true],
    [">", "a.b.c", true],
    ["a.>", "a", false],
    ["a.>", "a.", true],
    ["a.>", "a.b.c", true],
    ["a.*.>", "a.b", false],
    ["*.*.>", "a.b.c", true],
    ["A", "a", false],
    ["__proto__.*", "__proto__.a", true],
  ];
  for (const [subscription, topic, isMatch] of table) {
    it(`says that "${subscription}" ${isMatch ? "matches" : "does not match"} "${topic}"`, () => {
      const tree = new TopicTree<number>();
      tree.add(subscription, 1);
      expect(tree.match(topic)).toEqual(isMatch ? [1] : []);
    });
  }

  it("follows a.*.d where a.b.c is subscribed to as well", () => {
    const tree = new TopicTree<number>();
    tree.add("a.b.c", 1);
    tree.add("a.*.d", 1);
    expect(tree.match("a.b.d")).toEqual([1]);
  });

  it("gives a subscriber once, however many of its subscriptions match", () => {
    const tree = new TopicTree<number>();
    for (const subscription of ["a.b", "a.*", "*.b", "a.>", ">"]) tree.add(subscription, 1);
    expect(tree.match("a.b")).toEqual([1]);
  });

  it("finds what the naive matcher finds, while subscriptions come and go", () => {
    const change = fc.record({
      isAdd: fc.boolean(),
      subscription: subscriptions,
      subscriber: fc.nat(3),
    });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(topics, { minLength: 1, maxLength: 10 }),
        (changes, published) => {
          const tree = new TopicTree<number>();
          const model = new Map<string, readonly [string, number]>();
          for (const { isAdd, subscription, subscriber } of changes) {
            const key = `${subscriber} ${subscription}`;
            if (isAdd) {
              tree.add(subscription, subscriber);
              model.set(key, [subscription, subscriber]);
            } else {
              tree.remove(subscription, subscriber);
              model.delete(key);
            }
            for (const topic of published) {
              expect(sorted(tree.match(topic))).toEqual(naiveMatch(model.values(), topic));
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("forgets a topic's matches when somebody subscribes to it or away from it", () => {
    const tree = new TopicTree<number>();
    expect(tree.match("a")).toEqual([]);
    tree.add("a", 1);
    expect(tree.match("a")).toEqual([1]);
    tree.remove("a", 1);
    expect(tree.match("a")).toEqual([]);
  });

  it("ignores that a subscription is taken away which is not there", () => {
    const tree = new TopicTree<number>();
    tree.add("a.b", 1);
    for (const absent of ["a", "a.b.c", "a.>", "x", "a.*"]) tree.remove(absent, 1);
    tree.remove("a.b", 2);
    expect(tree.match("a.b")).toEqual([1]);
  });

  it("takes a topic of 60,000 tokens without exhausting the stack", () => {
    const tree = new TopicTree<number>();
    const deep = Array.from({ length: 60_000 }, () => "").join(".");
    tree.add(deep, 1);
    tree.add(">", 2);
    expect(sorted(tree.match(deep))).toEqual([1, 2]);
    tree.remove(deep, 1);
    expect(tree.match(deep)).toEqual([2]);
  });
});
