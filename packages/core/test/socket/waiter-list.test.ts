import { MsgError } from "@msg-ts/core";
import { SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { KeyedWaiters } from "../../src/socket/keyed-waiters.ts";
import { WaiterList } from "../../src/socket/waiter-list.ts";
import { Outcome } from "./scene.ts";

const timedOut = (timeoutMs: number): MsgError => new MsgError("MSG_TIMEOUT", `${timeoutMs} ms`);
const closed = new MsgError("MSG_CLOSED", "closed");

/** A signal that counts its listeners. */
function countedSignal(): { abort: AbortController; listeners: () => number } {
  const abort = new AbortController();
  let count = 0;
  const { signal } = abort;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count--;
    remove(...args);
  };
  return { abort, listeners: () => count };
}

describe("WaiterList", () => {
  for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
    it(`refuses timeoutMs ${timeoutMs} and names it`, () => {
      const list = new WaiterList<void>(new SimulatedRuntime());
      expect(() => list.wait({ timeoutMs }, timedOut)).toThrow(
        expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
      );
      expect(list.size).toBe(0);
    });
  }

  it("rejects at once with the reason of a signal that is aborted already", async () => {
    const list = new WaiterList<void>(new SimulatedRuntime());
    const reason = new Error("no more");
    await expect(list.wait({ signal: AbortSignal.abort(reason) }, timedOut)).rejects.toBe(reason);
    expect(list.size).toBe(0);
  });

  it("gives an AbortError for a reason that is no error", async () => {
    const list = new WaiterList<void>(new SimulatedRuntime());
    const waiting = list.wait({ signal: AbortSignal.abort("because") }, timedOut);
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });

  it("rejects at its deadline, not before, and leaves no timer", async () => {
    const runtime = new SimulatedRuntime();
    const list = new WaiterList<void>(runtime);
    const outcome = new Outcome(list.wait({ timeoutMs: 100 }, timedOut));
    await runtime.pass(99);
    expect(outcome.isSettled).toBe(false);
    await runtime.pass(1);
    expect([outcome.code, list.size, runtime.timersInMs]).toEqual(["MSG_TIMEOUT", 0, []]);
  });

  for (const end of ["resolve", "reject", "abort", "timeout"] as const) {
    it(`leaves neither a timer nor a listener behind after ${end}`, async () => {
      const runtime = new SimulatedRuntime();
      const list = new WaiterList<void>(runtime);
      const { abort, listeners } = countedSignal();
      const outcome = new Outcome(list.wait({ timeoutMs: 100, signal: abort.signal }, timedOut));
      expect(listeners()).toBe(1);
      if (end === "resolve") list.resolveAll();
      else if (end === "reject") list.rejectAll(closed);
      else if (end === "abort") abort.abort();
      else await runtime.pass(100);
      await runtime.settle();
      expect(outcome.isSettled).toBe(true);
      expect([listeners(), list.size, runtime.timersInMs]).toEqual([0, 0, []]);
    });
  }

  it("serves who waits longest first", async () => {
    const runtime = new SimulatedRuntime();
    const list = new WaiterList<number>(runtime);
    const outcomes = [1, 2, 3].map(() => new Outcome(list.wait({}, timedOut)));
    expect(list.resolveFirst(10)).toBe(true);
    await runtime.settle();
    expect(outcomes.map(({ value }) => value)).toEqual([10, undefined, undefined]);
    list.resolveAll(20);
    await runtime.settle();
    expect(outcomes.map(({ value }) => value)).toEqual([10, 20, 20]);
    expect(list.resolveFirst(30)).toBe(false);
  });
});

describe("KeyedWaiters", () => {
  it("remembers no key that nobody waits for any more", async () => {
    const runtime = new SimulatedRuntime();
    const waiters = new KeyedWaiters(runtime);
    const abort = new AbortController();
    const outcomes = [
      new Outcome(waiters.wait("a", { timeoutMs: 10 }, timedOut)),
      new Outcome(waiters.wait("b", { signal: abort.signal }, timedOut)),
      new Outcome(waiters.wait("c", {}, timedOut)),
      new Outcome(waiters.wait("d", {}, timedOut)),
    ];
    expect(waiters.keys).toEqual(["a", "b", "c", "d"]);
    await runtime.pass(10);
    abort.abort();
    waiters.resolve("c");
    waiters.rejectAll(closed);
    await runtime.settle();
    expect(outcomes.every(({ isSettled }) => isSettled)).toBe(true);
    expect(waiters.keys).toEqual([]);
  });

  it("remembers no key for options that it refused", () => {
    const waiters = new KeyedWaiters(new SimulatedRuntime());
    expect(() => waiters.wait("a", { timeoutMs: Number.NaN }, timedOut)).toThrow("timeoutMs");
    expect(waiters.keys).toEqual([]);
  });

  it("does not forget who began to wait when another on the same key ended", async () => {
    const runtime = new SimulatedRuntime();
    const waiters = new KeyedWaiters(runtime);
    const first = new Outcome(waiters.wait("a", {}, timedOut));
    waiters.resolve("a");
    const second = new Outcome(waiters.wait("a", {}, timedOut));
    await runtime.settle();
    expect([first.isSettled, second.isSettled]).toEqual([true, false]);
    waiters.resolve("a");
    await runtime.settle();
    expect(second.isSettled).toBe(true);
  });
});
