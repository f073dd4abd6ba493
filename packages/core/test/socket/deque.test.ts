import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deque } from "../../src/socket/deque.ts";

describe("Deque", () => {
  it("gives nothing when it is empty", () => {
    const deque = new Deque<number>();
    expect([deque.size, deque.peek(), deque.shift()]).toEqual([0, undefined, undefined]);
  });

  it("gives items back in the order they came, whatever is done in between", () => {
    const action = fc.oneof(
      { weight: 6, arbitrary: fc.constant("push" as const) },
      { weight: 5, arbitrary: fc.constant("shift" as const) },
      { weight: 1, arbitrary: fc.constant("clear" as const) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const deque = new Deque<number>();
        const model: number[] = [];
        actions.forEach((kind, index) => {
          if (kind === "push") {
            deque.push(index);
            model.push(index);
          } else if (kind === "shift") assert.equal(deque.shift(), model.shift());
          else {
            deque.clear();
            model.length = 0;
          }
          assert.equal(deque.size, model.length);
          assert.equal(deque.peek(), model[0]);
        });
      }),
    );
  });

  it("keeps the order over a burst of 100,000 and back", () => {
    const deque = new Deque<number>();
    for (let i = 0; i < 100_000; i++) deque.push(i);
    for (let i = 0; i < 100_000; i++) if (deque.shift() !== i) throw new Error(`not ${i}`);
    expect(deque.size).toBe(0);
    deque.push(7);
    expect(deque.shift()).toBe(7);
  });
});
