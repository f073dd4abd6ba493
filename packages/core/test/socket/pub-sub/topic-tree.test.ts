import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hasWildcard,
  subscriptionMatches,
} from "../../../src/socket/pub-sub/subscription-matches.ts";
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

/** Whole numbers below a bound, the same in every run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
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

  it("finds what the naive matcher finds, also deep, with crowds and with topics long remembered", () => {
    // Few tokens, so that much meets; deeper than a prefix, and more of them than a small group.
    const random = seeded(42);
    const wild = (): string => {
      const tokens = Array.from({ length: 1 + random(11) }, () => ["a", "b", "*"][random(3)]);
      if (random(4) === 0) tokens.push(">");
      return tokens.join(".");
    };
    const tree = new TopicTree<number>();
    const model = new Map<string, readonly [string, number]>();
    const known = Array.from({ length: 40 }, () => wild().replaceAll(/[*>]/g, "a"));
    const subscribed = [...known.slice(0, 10), ...Array.from({ length: 40 }, wild), "*.>", ">"];
    for (let step = 0; step < 4_000; step++) {
      const subscription = subscribed[random(subscribed.length)] as string;
      const subscriber = random(40);
      const key = `${subscriber} ${subscription}`;
      // More and more of them, and then fewer and fewer.
      if ((random(4) === 0) === step < 2_000) {
        tree.remove(subscription, subscriber);
        model.delete(key);
      } else {
        tree.add(subscription, subscriber);
        model.set(key, [subscription, subscriber]);
      }
      if (random(3) > 0) continue;
      const topic = known[random(known.length)] as string;
      expect(sorted(tree.match(topic))).toEqual(naiveMatch(model.values(), topic));
    }
    for (const [subscription, subscriber] of model.values()) tree.remove(subscription, subscriber);
    for (const topic of known) expect(tree.match(topic)).toEqual([]);
  });

  it("says of one subscription what the naive matcher says", () => {
    fc.assert(
      fc.property(subscriptions, topics, (subscription, topic) => {
        const expected = matches(subscription.split("."), topic.split("."));
        expect(subscriptionMatches(subscription, topic)).toBe(expected);
        const tokens = subscription.split(".");
        expect(hasWildcard(subscription)).toBe(tokens.includes("*") || tokens.at(-1) === ">");
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes what only looks like a wildcard for a token", () => {
    const tree = new TopicTree<number>();
    for (const subscription of ["a*", "*a", "a.>b", "b.>.c", "a.**"]) tree.add(subscription, 1);
    for (const topic of ["ab", "ba", "a.b", "b.b.c", "a.bb"]) expect(tree.match(topic)).toEqual([]);
    for (const topic of ["a*", "*a", "a.>b"]) expect(tree.match(topic)).toEqual([1]);
  });

  it("keeps a topic's matches while others subscribe to something else", () => {
    const tree = new TopicTree<number>();
    tree.add("a.b", 1);
    tree.add("a.*", 2);
    const before = tree.match("a.b");
    for (let index = 0; index < 1_000; index++) {
      tree.add(`a.c${index}`, 3);
      tree.add(`a.c${index}.*`, 3);
      expect(tree.match("a.b")).toBe(before);
    }
    // So many at once that nobody looks at each.
    for (let index = 0; index < 1_000; index++) tree.remove(`a.c${index}.*`, 3);
    expect(sorted(tree.match("a.b"))).toEqual([1, 2]);
    tree.remove("a.*", 2);
    expect(tree.match("a.b")).toEqual([1]);
  });

  it("does not change a list that it gave", () => {
    const tree = new TopicTree<number>();
    tree.add("a", 1);
    tree.add("a", 2);
    const before = tree.match("a");
    tree.add("a", 3);
    tree.remove("a", 1);
    expect(before).toEqual([1, 2]);
    expect(tree.match("a")).toEqual([2, 3]);
  });

  it("finds who wants each of more topics than it remembers", () => {
    const tree = new TopicTree<number>();
    for (let index = 0; index < 20_000; index++) tree.add(`t.${index}`, index);
    tree.add("t.*", -1);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 20_000; index++) {
        expect(tree.match(`t.${index}`)).toEqual([index, -1]);
      }
    }
  });

  it("follows both branches of a thousand-fold fork without doubling its work at each", () => {
    const tree = new TopicTree<number>();
    const depth = 1_000;
    for (let at = 0; at < depth; at++) {
      const tokens = Array.from({ length: depth }, (_, index) => (index === at ? "*" : "a"));
      tree.add(tokens.join("."), at);
    }
    const topic = Array.from({ length: depth }, () => "a").join(".");
    expect(tree.match(topic)).toHaveLength(depth);
    expect(tree.match(`${topic}.a`)).toEqual([]);
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
    tree.add(`${deep}.*`, 3);
    expect(sorted(tree.match(`${deep}.x`))).toEqual([2, 3]);
    tree.remove(deep, 1);
    tree.remove(`${deep}.*`, 3);
    expect(tree.match(deep)).toEqual([2]);
    expect(tree.match(`${deep}.x`)).toEqual([2]);
  });
});
