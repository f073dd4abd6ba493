import { SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { ReceiveQueue, ReceiveSource } from "../../src/socket/receive-queue.ts";
import type { Settler } from "../../src/socket/receivers.ts";
import { QueueConsumer, ReceiveIterator, receiveOne } from "../../src/socket/receivers.ts";
import { Outcome } from "./scene.ts";

interface Item {
  readonly name: string;
  readonly payload: Uint8Array;
  detach(): void;
}

function setUp() {
  const runtime = new SimulatedRuntime();
  const queue = new ReceiveQueue<Item>({ maxMessages: 100, maxBytes: 1_000_000 }, () => []);
  const source = new ReceiveSource<Item>({
    isOpen: true,
    slab: 0,
    slabBytes: 0,
    isLent: false,
    hold: () => {},
    release: () => {},
  });
  const settled: string[] = [];
  const settler: Settler<Item> = {
    accept: ({ name }) => void settled.push(`+${name}`),
    giveBack: ({ name }) => void settled.push(`-${name}`),
  };
  const push = (...names: string[]): void => {
    for (const name of names) queue.push(source, { name, payload: new Uint8Array(0), detach() {} });
  };
  const iterator = (): ReceiveIterator<Item, Item> =>
    new ReceiveIterator(
      queue,
      (from) => from.take(),
      (item, isAccepted) => (isAccepted ? settler.accept(item) : settler.giveBack(item)),
    );
  const errors: string[] = [];
  const consume = (handler: (item: Item) => unknown, concurrency = 1): QueueConsumer<Item> =>
    new QueueConsumer(queue, handler, concurrency, settler, (error, { name }) => {
      errors.push(`${name}: ${String(error)}`);
    });
  return { runtime, queue, push, iterator, consume, settled, errors };
}

describe("receiveOne", () => {
  it("rejects when its signal is aborted already, and takes nothing", async () => {
    const { runtime, queue, push } = setUp();
    push("a");
    const reason = new Error("no more");
    const signal = AbortSignal.abort(reason);
    await expect(receiveOne(queue, runtime, { signal })).rejects.toBe(reason);
    expect(queue.size).toBe(1);
  });

  it("rejects at its deadline and takes nothing that comes later", async () => {
    const { runtime, queue, push } = setUp();
    const outcome = new Outcome(receiveOne(queue, runtime, { timeoutMs: 10 }));
    await runtime.pass(10);
    push("a");
    await runtime.settle();
    expect([outcome.code, queue.size, runtime.timersInMs]).toEqual(["MSG_TIMEOUT", 1, []]);
  });

  it("leaves what comes to the next one when it is aborted", async () => {
    const { runtime, queue, push } = setUp();
    const abort = new AbortController();
    const first = new Outcome(receiveOne(queue, runtime, { signal: abort.signal }));
    const second = new Outcome(receiveOne(queue, runtime, {}));
    abort.abort(new Error("no more"));
    push("a");
    await runtime.settle();
    expect([String(first.error), second.value?.name]).toEqual(["Error: no more", "a"]);
  });

  it("rejects with MSG_CLOSED when the queue is closed, and leaves no timer", async () => {
    const { runtime, queue } = setUp();
    const outcome = new Outcome(receiveOne(queue, runtime, { timeoutMs: 10 }));
    queue.close();
    const late = new Outcome(receiveOne(queue, runtime, {}));
    await runtime.settle();
    expect([outcome.code, late.code, runtime.timersInMs]).toEqual(["MSG_CLOSED", "MSG_CLOSED", []]);
  });

  it("serves who asked first first", async () => {
    const { runtime, queue, push } = setUp();
    const outcomes = [1, 2, 3].map(() => new Outcome(receiveOne(queue, runtime, {})));
    push("a", "b");
    await runtime.settle();
    expect(outcomes.map(({ value }) => value?.name)).toEqual(["a", "b", undefined]);
  });
});

describe("ReceiveIterator", () => {
  it("accepts an item when the next one is asked for, and gives back the last one on return", async () => {
    const { push, iterator, settled } = setUp();
    push("a", "b", "c");
    const items = iterator();
    await items.next();
    expect(settled).toEqual([]);
    await items.next();
    expect(settled).toEqual(["+a"]);
    await items.return();
    expect(settled).toEqual(["+a", "-b"]);
    expect(await items.next()).toEqual({ value: undefined, done: true });
  });

  it("gives back what the loop threw at", async () => {
    const { push, iterator, settled } = setUp();
    push("a", "b");
    const walk = async (): Promise<void> => {
      for await (const { name } of iterator()) throw new Error(name);
    };
    await expect(walk()).rejects.toThrow("a");
    expect(settled).toEqual(["-a"]);
  });

  it("ends when the queue is closed, also while it waits", async () => {
    const { queue, iterator } = setUp();
    const [waiting, later] = [iterator(), iterator()];
    const next = waiting.next();
    queue.close();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await later.next()).toEqual({ value: undefined, done: true });
  });

  it("ends a next() that waits when it returns", async () => {
    const { iterator } = setUp();
    const items = iterator();
    const next = items.next();
    await items.return();
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it("leaves an item to the others when it returns after it was woken for it", async () => {
    const { runtime, push, iterator } = setUp();
    const [first, second] = [iterator(), iterator()];
    const [one, other] = [new Outcome(first.next()), new Outcome(second.next())];
    await runtime.settle();
    push("a");
    await first.return();
    await runtime.settle();
    expect(one.value).toEqual({ value: undefined, done: true });
    expect(other.value).toMatchObject({ value: { name: "a" } });
  });

  it("gives each item once, in order, to calls of next() made at the same time", async () => {
    const { push, iterator } = setUp();
    const items = iterator();
    const calls = [items.next(), items.next(), items.next()];
    push("a", "b", "c");
    const results = await Promise.all(calls);
    expect(results.map(({ value }) => (value as Item).name)).toEqual(["a", "b", "c"]);
  });

  it("shares items with other iterators, each to one of them", async () => {
    const { queue, push, iterator } = setUp();
    const seen: string[] = [];
    const walk = async (): Promise<void> => {
      for await (const { name } of iterator()) seen.push(name);
    };
    const walks = [walk(), walk(), walk()];
    const names = Array.from({ length: 50 }, (_, index) => `${index}`);
    for (const name of names) {
      push(name);
      if (Number(name) % 7 === 0) await Promise.resolve();
    }
    while (queue.size > 0) await new Promise((resolve) => void setImmediate(resolve));
    queue.close();
    await Promise.all(walks);
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(names);
  });
});

describe("QueueConsumer", () => {
  it("calls back for what had come before, but not inside the call that sets it up", async () => {
    const { runtime, push, consume } = setUp();
    push("a");
    const seen: string[] = [];
    consume(({ name }) => void seen.push(name));
    expect(seen).toEqual([]);
    await runtime.settle();
    expect(seen).toEqual(["a"]);
  });

  it("calls back directly for what comes, in order with what was there", async () => {
    const { runtime, push, consume } = setUp();
    push("a");
    const seen: string[] = [];
    consume(({ name }) => void seen.push(name));
    push("b");
    await runtime.settle();
    push("c");
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("lets the handler stop it, and gives the rest to others", async () => {
    const { runtime, queue, push, consume } = setUp();
    push("a", "b");
    const consumer = consume(() => void consumer.stop());
    await runtime.settle();
    expect(queue.takeMany(5).map(({ name }) => name)).toEqual(["b"]);
  });

  it("calls back with at most `concurrency` at a time, and goes on as they end", async () => {
    const { runtime, push, consume } = setUp();
    const ends: (() => void)[] = [];
    const seen: string[] = [];
    consume(({ name }) => {
      seen.push(name);
      return new Promise<void>((resolve) => void ends.push(resolve));
    }, 2);
    push("a", "b", "c");
    await runtime.settle();
    expect(seen).toEqual(["a", "b"]);
    ends[0]?.();
    await runtime.settle();
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("gives back what its handler threw at, says so, and goes on", async () => {
    const { runtime, push, consume, settled, errors } = setUp();
    consume(({ name }) => {
      if (name === "a") throw new Error("sync");
      if (name === "b") return Promise.reject(new Error("async"));
      return undefined;
    });
    push("a", "b", "c");
    await runtime.settle();
    expect(settled).toEqual(["-a", "-b", "+c"]);
    expect(errors).toEqual(["a: Error: sync", "b: Error: async"]);
  });

  it("goes on when settling an item throws", async () => {
    const { runtime, queue, push } = setUp();
    const seen: string[] = [];
    const settler: Settler<Item> = {
      accept: () => {
        throw new Error("cannot settle");
      },
      giveBack: () => {},
    };
    const handler = ({ name }: Item): void => void seen.push(name);
    const consumer = new QueueConsumer(queue, handler, 1, settler, () => {});
    await runtime.settle();
    expect(() => push("a")).toThrow("cannot settle");
    expect(() => push("b")).toThrow("cannot settle");
    expect(seen).toEqual(["a", "b"]);
    await consumer.stop();
  });

  it("wakes everybody who waits, when it stops with more than one item left", async () => {
    const { runtime, queue, push, consume } = setUp();
    const consumer = consume(() => new Promise(() => {}));
    const waiting = [1, 2].map(() => new Outcome(receiveOne(queue, runtime, {})));
    await runtime.settle();
    push("a", "b", "c");
    void consumer.stop();
    await runtime.settle();
    expect(waiting.map(({ value }) => value?.name)).toEqual(["b", "c"]);
  });

  it("resolves stop() when the calls under way have ended, and not before", async () => {
    const { runtime, push, consume } = setUp();
    let end: (() => void) | undefined;
    const consumer = consume(
      () =>
        new Promise<void>((resolve) => {
          end = resolve;
        }),
    );
    await runtime.settle();
    push("a");
    const [first, second] = [new Outcome(consumer.stop()), new Outcome(consumer.stop())];
    await runtime.settle();
    expect([first.isSettled, second.isSettled]).toEqual([false, false]);
    end?.();
    await runtime.settle();
    expect([first.isSettled, second.isSettled]).toEqual([true, true]);
  });

  it("calls back no more once it was stopped", async () => {
    const { runtime, push, consume } = setUp();
    const seen: string[] = [];
    push("a");
    const consumer = consume(({ name }) => void seen.push(name));
    await consumer.stop();
    push("b");
    await runtime.settle();
    expect(seen).toEqual([]);
  });
});
