import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Linked } from "../../src/socket/linked-queue.ts";
import { LinkedQueue } from "../../src/socket/linked-queue.ts";

class Item implements Linked<Item> {
  readonly name: number;
  previousInQueue: Item | undefined;
  nextInQueue: Item | undefined;
  inQueue: object | undefined;

  constructor(name: number) {
    this.name = name;
  }
}

function names(queue: LinkedQueue<Item>): number[] {
  const found: number[] = [];
  for (let item = queue.first; item !== undefined; item = item.nextInQueue) found.push(item.name);
  return found;
}

describe("LinkedQueue", () => {
  it("does not take out an item that is in no queue, or in another one", () => {
    const [one, other] = [new LinkedQueue<Item>(), new LinkedQueue<Item>()];
    const item = new Item(1);
    expect(one.remove(item)).toBe(false);
    other.append(item);
    expect(one.remove(item)).toBe(false);
    expect([one.size, other.size]).toEqual([0, 1]);
  });

  it("takes an item out once", () => {
    const queue = new LinkedQueue<Item>();
    const item = new Item(1);
    queue.append(item);
    expect([queue.remove(item), queue.remove(item), queue.size]).toEqual([true, false, 0]);
  });

  it("may be given an item again that was taken out", () => {
    const queue = new LinkedQueue<Item>();
    const item = new Item(1);
    queue.append(item);
    queue.shift();
    queue.append(new Item(2));
    queue.prepend(item);
    expect(names(queue)).toEqual([1, 2]);
  });

  it("does what an array would, whatever is taken out from where", () => {
    const action = fc.record({
      kind: fc.constantFrom("append", "prepend", "shift", "remove"),
      at: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const queue = new LinkedQueue<Item>();
        const model: Item[] = [];
        actions.forEach(({ kind, at }, index) => {
          if (kind === "append" || kind === "prepend") {
            const item = new Item(index);
            queue[kind](item);
            if (kind === "append") model.push(item);
            else model.unshift(item);
          } else if (kind === "shift") assert.equal(queue.shift(), model.shift());
          else if (model.length > 0) {
            const [item] = model.splice(at % model.length, 1);
            assert.ok(item !== undefined && queue.remove(item));
          }
          assert.deepEqual(
            names(queue),
            model.map(({ name }) => name),
          );
          assert.equal(queue.size, model.length);
        });
      }),
    );
  });
});
