import { describe, expect, it } from "vitest";
import { TopicReader } from "../../src/wire/msg/topic-reader.ts";

/** Whole numbers below a bound, the same in every run. */
function seeded(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

describe("TopicReader", () => {
  it("reads what TextDecoder reads, in whatever order topics of all lengths come", () => {
    const random = seeded(7);
    const reader = new TopicReader();
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    // Few values, so that many differ in one byte only.
    const texts = Array.from({ length: 300 }, (_, index) =>
      Uint8Array.from({ length: index % 90 }, () => [0x61, 0x2e, 0xc3, 0xa4][random(4)] as number),
    );
    texts.push(...["MSG.", "MSG.MARK", "MSG", "\u{feff}a", "\0", ""].map((t) => Buffer.from(t)));
    for (let step = 0; step < 20_000; step++) {
      // Now among few, now among all.
      const bytes = texts[random(step % 1_000 < 500 ? 8 : texts.length)] as Uint8Array;
      const start = random(5);
      const memory = new Uint8Array(start + bytes.length + random(5)).fill(random(256));
      memory.set(bytes, start);
      const { topic, isReserved } = reader.read(new DataView(memory.buffer), start, bytes.length);
      const expected = decoder.decode(bytes);
      expect(topic).toBe(expected);
      expect(isReserved).toBe(expected.startsWith("MSG."));
    }
  });

  it("keeps no memory that it was given", () => {
    const reader = new TopicReader();
    const memory = new Uint8Array(Buffer.from("a.topic"));
    const view = new DataView(memory.buffer);
    expect(reader.read(view, 0, 7).topic).toBe("a.topic");
    memory.set(Buffer.from("b"));
    expect(reader.read(view, 0, 7).topic).toBe("b.topic");
    expect(reader.read(view, 1, 6).topic).toBe(".topic");
  });
});
