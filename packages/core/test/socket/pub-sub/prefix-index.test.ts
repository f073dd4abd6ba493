import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PrefixIndex } from "../../../src/socket/pub-sub/prefix-index.ts";

/** One character for each byte, as prefixes are given. */
function bytesOf(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

describe("prefixes", () => {
  it("match what begins so, letter by letter, and the empty one matches all", () => {
    const index = new PrefixIndex<string>();
    index.add("", "all");
    index.add("news", "news");
    index.add("news.sport", "sport");
    expect(index.match("news.sport.tennis", [])).toEqual(["all", "news", "sport"]);
    expect(index.match("New", [])).toEqual(["all"]);
    expect(index.match("", [])).toEqual(["all"]);
  });

  it("match bytes, also in the middle of a character", () => {
    const index = new PrefixIndex<string>();
    index.add(bytesOf("é").slice(0, 1), "half");
    expect(index.match("état", [])).toEqual(["half"]);
    expect(index.match("e", [])).toEqual([]);
  });

  it("give each subscriber once, behind those that are given", () => {
    const index = new PrefixIndex<string>();
    index.add("a", "one");
    index.add("ab", "one");
    const others = ["zero"];
    expect(index.match("abc", others)).toEqual(["zero", "one"]);
    expect(index.match("abc", others)).toBe(index.match("abc", others));
  });

  it("are what a plain list finds, whatever comes and goes", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 4 });
    const change = fc.tuple(fc.boolean(), word, fc.integer({ min: 0, max: 3 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.array(word), (changes, topics) => {
        const index = new PrefixIndex<number>();
        const list = new Set<string>();
        for (const [isAdded, prefix, subscriber] of changes) {
          const entry = `${subscriber} ${bytesOf(prefix)}`;
          if (isAdded) {
            index.add(bytesOf(prefix), subscriber);
            list.add(entry);
          } else {
            index.remove(bytesOf(prefix), subscriber);
            list.delete(entry);
          }
          for (const topic of topics) {
            const wanted = [...list].filter((each) => bytesOf(topic).startsWith(each.slice(2)));
            const expected = new Set(wanted.map((each) => Number(each[0])));
            expect(new Set(index.match(topic, []))).toEqual(expected);
          }
        }
        expect(index.size).toBe(new Set([...list].map((each) => each.slice(2))).size);
      }),
    );
  });
});
