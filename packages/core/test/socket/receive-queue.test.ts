import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ReceiveLimits } from "../../src/socket/receive-queue.ts";
import { ReceiveQueue, ReceiveSource } from "../../src/socket/receive-queue.ts";

interface Item {
  readonly from: number;
  readonly number: number;
  readonly payload: Uint8Array;
  detach(): void;
}

/** A gate that knows how often it is held. */
class Gate {
  holds = 0;
  slab = 0;
  slabBytes = 0;
  isLent = false;
  get isOpen(): boolean {
    return this.holds === 0;
  }
  hold(): void {
    this.holds++;
  }
  release(): void {
    this.holds--;
    if (this.holds < 0) throw new Error("released more often than held");
  }
}

/** What an item costs beside its payload. */
const overheadBytes = 64;

function setUp(limits: Partial<ReceiveLimits> = {}, sourceCount = 3) {
  const gates = Array.from({ length: sourceCount }, () => new Gate());
  const sources = gates.map((gate) => new ReceiveSource<Item>(gate));
  const living = new Set(sources);
  const allLimits = { maxMessages: 4, maxBytes: 1_000_000, ...limits };
  const queue = new ReceiveQueue<Item>(allLimits, () => living);
  let number = 0;
  const push = (from: number, length = 0): void => {
    const source = sources[from];
    if (source === undefined) throw new Error(`no source ${from}`);
    queue.push(source, { from, number: number++, payload: new Uint8Array(length), detach() {} });
  };
  const clear = (from: number): Item[] => {
    const source = sources[from];
    return source === undefined ? [] : queue.clearSource(source);
  };
  /** The peer of a source goes, as a socket tells it. */
  const leave = (from: number): void => {
    const source = sources[from];
    if (source === undefined) return;
    living.delete(source);
    queue.abandon(source);
  };
  /** A peer comes; gives its number. */
  const come = (): number => {
    const gate = new Gate();
    const source = new ReceiveSource<Item>(gate);
    living.add(source);
    queue.open(source);
    gates.push(gate);
    return sources.push(source) - 1;
  };
  return { queue, gates, push, clear, leave, come };
}

describe("ReceiveQueue", () => {
  it("gives nothing when it is empty", () => {
    const { queue } = setUp();
    expect([queue.take(), queue.takeMany(5), queue.size, queue.bytes]).toEqual([
      undefined,
      [],
      0,
      0,
    ]);
  });

  it("takes from the peers in turn, each one's items in their order", () => {
    const { queue, push } = setUp();
    for (const from of [0, 0, 0, 1, 2, 2]) push(from);
    const taken = queue.takeMany(10).map(({ from, number }) => [from, number]);
    expect(taken).toEqual([
      [0, 0],
      [1, 3],
      [2, 4],
      [0, 1],
      [2, 5],
      [0, 2],
    ]);
  });

  it("stops reading a peer at its bound of messages, and goes on at half of it", () => {
    const { queue, gates, push } = setUp({ maxMessages: 4 });
    for (let i = 0; i < 3; i++) push(0);
    expect(gates[0]?.holds).toBe(0);
    push(0);
    expect(gates.map(({ holds }) => holds)).toEqual([1, 0, 0]);
    queue.take();
    expect(gates[0]?.holds).toBe(1);
    queue.take();
    expect(gates[0]?.holds).toBe(0);
  });

  it("stops reading a peer at its bound of bytes, overhead included, and goes on at half of it", () => {
    const { queue, gates, push } = setUp({ maxMessages: 1_000, maxBytes: 1_000 });
    push(0, 500 - overheadBytes);
    expect(gates[0]?.holds).toBe(0);
    push(0, 500 - overheadBytes);
    expect(gates[0]?.holds).toBe(1);
    queue.take();
    expect(gates[0]?.holds).toBe(0);
  });

  it("takes one item whatever its size", () => {
    const { queue, gates, push } = setUp({ maxBytes: 1 });
    push(0, 5_000);
    expect([queue.size, gates[0]?.holds]).toEqual([1, 1]);
    expect(queue.take()?.payload.length).toBe(5_000);
    expect(gates[0]?.holds).toBe(0);
  });

  it("gives the others' items when one peer's were cleared", () => {
    const { queue, push, clear } = setUp();
    push(0);
    push(1);
    push(2);
    expect(clear(0)).toHaveLength(1);
    expect([queue.take()?.from, queue.take()?.from, queue.take()]).toEqual([1, 2, undefined]);
  });

  it("gives all that is left at once when the first peers in turn were cleared", () => {
    const { queue, push, clear } = setUp();
    for (const from of [0, 1, 2, 2]) push(from);
    clear(0);
    clear(1);
    expect(queue.takeMany(Infinity).map(({ from }) => from)).toEqual([2, 2]);
  });

  it("opens the gate of a full peer that is cleared", () => {
    const { gates, push, clear } = setUp({ maxMessages: 2 });
    push(0);
    push(0);
    clear(0);
    expect(gates[0]?.holds).toBe(0);
  });

  it("wakes one sleeper for each item, who slept longest first", () => {
    const { queue, push } = setUp();
    const woken: string[] = [];
    queue.sleep({ wake: () => void woken.push("a") });
    queue.sleep({ wake: () => void woken.push("b") });
    push(0);
    expect(woken).toEqual(["a"]);
    push(0);
    expect(woken).toEqual(["a", "b"]);
  });

  it("wakes the next one when who was woken takes nothing", () => {
    const { queue, push } = setUp();
    const woken: string[] = [];
    const first = { wake: () => void woken.push("a") };
    queue.sleep(first);
    queue.sleep({ wake: () => void woken.push("b") });
    push(0);
    queue.cancelSleep(first);
    expect(woken).toEqual(["a", "b"]);
  });

  it("wakes nobody when a sleeper leaves that was not woken", () => {
    const { queue } = setUp();
    const woken: string[] = [];
    const first = { wake: () => void woken.push("a") };
    queue.sleep(first);
    queue.sleep({ wake: () => void woken.push("b") });
    queue.cancelSleep(first);
    expect(woken).toEqual([]);
  });

  it("wakes everybody when it is closed, forgets all, and takes nothing more", () => {
    const { queue, push } = setUp();
    const woken: string[] = [];
    push(0);
    queue.sleep({ wake: () => void woken.push("a") });
    queue.sleep({ wake: () => void woken.push("b") });
    queue.close();
    push(1);
    expect([woken, queue.size, queue.bytes, queue.take()]).toEqual([["a", "b"], 0, 0, undefined]);
  });

  it("loses and doubles nothing, and counts right, whatever is done in whatever order", () => {
    const action = fc.record({
      kind: fc.constantFrom("push", "push", "push", "take", "takeMany", "clear"),
      from: fc.nat(2),
      length: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 150 }), (actions) => {
        const { queue, gates, push, clear } = setUp({ maxMessages: 5, maxBytes: 1_000 });
        const model: Item[][] = [[], [], []];
        let number = 0;
        const remove = ({ from, number: taken }: Item): void => {
          assert.equal(model[from]?.shift()?.number, taken);
        };
        for (const { kind, from, length } of actions) {
          if (kind === "push") {
            push(from, length);
            model[from]?.push({
              from,
              number: number++,
              payload: new Uint8Array(length),
              detach() {},
            });
          } else if (kind === "take") {
            const item = queue.take();
            assert.equal(item === undefined, model.flat().length === 0);
            if (item !== undefined) remove(item);
          } else if (kind === "takeMany") {
            const left = model.flat().length;
            const taken = queue.takeMany(3);
            assert.equal(taken.length, Math.min(3, left));
            for (const item of taken) remove(item);
          } else {
            assert.deepEqual(
              clear(from).map((item) => item.number),
              model[from]?.map((item) => item.number),
            );
            model[from] = [];
          }
          const all = model.flat();
          const bytes = all.reduce((sum, { payload }) => sum + payload.length + overheadBytes, 0);
          assert.deepEqual([queue.size, queue.bytes], [all.length, bytes]);
          gates.forEach((gate, index) => {
            const items = model[index] ?? [];
            const held = items.reduce((sum, item) => sum + item.payload.length + overheadBytes, 0);
            if (items.length >= 5 || held >= 1_000) assert.equal(gate.holds, 1);
            if (items.length <= 2 && held <= 500) assert.equal(gate.holds, 0);
          });
        }
      }),
    );
  });
});

describe("ReceiveQueue, of payloads that share memory", () => {
  const slabBytes = 10_000;

  function setUpSlabs(maxBytes: number) {
    const { queue, gates, push } = setUp({ maxMessages: Infinity, maxBytes }, 1);
    const [gate] = gates;
    assert(gate !== undefined);
    const pushFrom = (slab: number, count = 1): void => {
      gate.slab = slab;
      gate.slabBytes = slab === 0 ? 0 : slabBytes;
      for (let i = 0; i < count; i++) push(0, 1);
    };
    return { queue, gate, pushFrom };
  }

  it("is full when what they pin reaches the bound, however small they are", () => {
    const { gate, pushFrom } = setUpSlabs(5 * slabBytes);
    for (let slab = 1; slab <= 4; slab++) pushFrom(slab);
    expect(gate.holds).toBe(0);
    pushFrom(5);
    expect(gate.holds).toBe(1);
  });

  it("counts memory once for all that lie in it, and what fills it not twice", () => {
    const { gate, pushFrom } = setUpSlabs(2 * slabBytes + 100);
    pushFrom(1, 200);
    // 13,000 bytes of items in 10,000 bytes of memory, and 10,000 of which one item fills little.
    expect(gate.holds).toBe(0);
    pushFrom(2, 1);
    expect(gate.holds).toBe(1);
  });

  it("lets go of memory when the last that lies in it is taken", () => {
    const { queue, gate, pushFrom } = setUpSlabs(3 * slabBytes);
    for (let slab = 1; slab <= 3; slab++) pushFrom(slab, 2);
    expect(gate.holds).toBe(1);
    queue.takeMany(3);
    expect(gate.holds).toBe(1);
    queue.takeMany(1);
    expect(gate.holds).toBe(0);
  });

  it("counts memory again that is still filled after everything was taken", () => {
    const { queue, gate, pushFrom } = setUpSlabs(2 * slabBytes);
    pushFrom(1);
    queue.take();
    pushFrom(1);
    pushFrom(2);
    expect(gate.holds).toBe(1);
    queue.takeMany(2);
    expect(gate.holds).toBe(0);
    pushFrom(0, 100);
    expect(gate.holds).toBe(0);
  });
});

describe("what peers that are gone left in a ReceiveQueue", () => {
  it("is still given, in its turn", () => {
    const { queue, push, leave } = setUp();
    push(0);
    push(1);
    leave(0);
    expect([queue.take()?.from, queue.take()?.from, queue.take()]).toEqual([0, 1, undefined]);
  });

  it("counts as one more peer's: at that bound nobody is read, until half of it was taken", () => {
    const { queue, gates, push, leave, come } = setUp();
    for (const from of [0, 1]) {
      push(from);
      push(from);
    }
    leave(0);
    expect(gates[2]?.isOpen).toBe(true);
    leave(1);
    expect(gates[2]?.isOpen).toBe(false);
    const later = come();
    expect(gates[later]?.isOpen).toBe(false);
    queue.take();
    expect(gates[2]?.isOpen).toBe(false);
    queue.take();
    expect([gates[2]?.isOpen, gates[later]?.isOpen]).toEqual([true, true]);
    expect(gates[come()]?.isOpen).toBe(true);
  });

  it("is bounded in bytes too", () => {
    const { queue, gates, push, leave } = setUp({ maxBytes: 1_000, maxMessages: 100 });
    push(0, 600);
    leave(0);
    expect(gates[2]?.isOpen).toBe(true);
    push(1, 600);
    leave(1);
    expect(gates[2]?.isOpen).toBe(false);
    queue.clear();
    expect([gates[2]?.isOpen, queue.size, queue.bytes]).toEqual([true, 0, 0]);
  });

  it("counts the memory that it pins", () => {
    const { queue, gates, push, leave } = setUp({ maxBytes: 10_000, maxMessages: 100 });
    const [first] = gates;
    if (first === undefined) throw new Error("no gate");
    first.slab = 1;
    first.slabBytes = 20_000;
    push(0);
    expect(gates[2]?.isOpen).toBe(true);
    leave(0);
    expect(gates[2]?.isOpen).toBe(false);
    queue.take();
    expect(gates[2]?.isOpen).toBe(true);
  });

  it("grows by what was being read when its peer went, and counts it", () => {
    const { gates, push, leave } = setUp();
    leave(0);
    for (let i = 0; i < 4; i++) push(0);
    expect(gates[1]?.isOpen).toBe(false);
  });

  it("holds nobody who went too", () => {
    const { queue, gates, push, leave } = setUp();
    for (let i = 0; i < 4; i++) push(0);
    leave(0);
    leave(1);
    expect(gates[1]?.holds).toBe(0);
    queue.clear();
    expect(gates.map(({ isOpen }) => isOpen)).toEqual([true, true, true]);
  });

  it("never holds a gate for good, nor lets more in than a share, whoever comes and goes", () => {
    const step = fc.record({
      do: fc.constantFrom("push", "push", "push", "take", "leave", "come"),
      at: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { queue, gates, push, leave, come } = setUp();
        const living = [0, 1, 2];
        for (const { do: what, at } of steps) {
          const from = living[at % living.length];
          if (what === "take") queue.take();
          else if (what === "come" && living.length < 6) living.push(come());
          else if (from === undefined) continue;
          // A peer is read from only while its gate is open.
          else if (what === "push" && gates[from]?.isOpen === true) push(from);
          else if (what === "leave") {
            leave(from);
            living.splice(living.indexOf(from), 1);
          }
          // Those who are there, what is left, and what one of them added to it when it went.
          assert.ok(queue.size <= 4 * (living.length + 2));
        }
        queue.clear();
        for (const from of living) assert.equal(gates[from]?.holds, 0);
      }),
    );
  });
});
