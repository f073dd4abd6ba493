import assert from "node:assert/strict";
import { MsgError } from "@msg-ts/core";
import { seededRandom, SimulatedRuntime } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Message } from "../../../src/socket/message.ts";
import type { PendingRequest } from "../../../src/socket/req-rep/request-table.ts";
import { RequestTable } from "../../../src/socket/req-rep/request-table.ts";

type Pending = PendingRequest<string>;

const payload = new Uint8Array(0);
const gone = new MsgError("MSG_CLOSED", "gone");
const reply = new Message(payload, {
  id: 1,
  address: "",
  transport: "",
  endpoint: "",
  name: "",
  claims: {},
});

function setUp() {
  const runtime = new SimulatedRuntime();
  const timedOut: number[] = [];
  const table: RequestTable<string> = new RequestTable<string>(runtime, (request) => {
    timedOut.push(request.id);
    table.reject(request, new MsgError("MSG_TIMEOUT", "late"));
  });
  const add = (timeoutMs = Infinity): Pending => {
    const request = table.add(payload, timeoutMs, false);
    table.stamp();
    return request;
  };
  return { runtime, table, timedOut, add };
}

describe("RequestTable", () => {
  it("gives ids from 1 on, one more each time", () => {
    const { add } = setUp();
    expect([add().id, add().id, add().id]).toEqual([1, 2, 3]);
  });

  it("finds a request by its whole id only", () => {
    const { table, add } = setUp();
    const request = add();
    expect(table.find(request.id)).toBe(request);
    for (const other of [0, request.id + 64, request.id + 2 ** 31, 0xffff_ffff]) {
      expect(table.find(other)).toBeUndefined();
    }
  });

  it("takes a request out once", () => {
    const { table, add } = setUp();
    const request = add();
    expect([table.remove(request), table.remove(request), table.size]).toEqual([true, false, 0]);
    expect(table.find(request.id)).toBeUndefined();
  });

  it("rejects a request once, and not one that was resolved", async () => {
    const { table, add } = setUp();
    const request = add();
    table.remove(request);
    request.resolve(reply);
    table.reject(request, gone);
    expect(await request.promise).toBe(reply);
  });

  it("skips an id whose place an older request has, instead of growing", () => {
    const scene = setUp();
    const oldest = scene.add();
    const seen = new Set<number>([oldest.id]);
    for (let i = 0; i < 10_000; i++) {
      const request = scene.add();
      assert.ok(!seen.has(request.id));
      seen.add(request.id);
      scene.table.remove(request);
    }
    expect(scene.table.find(oldest.id)).toBe(oldest);
    expect(scene.table.size).toBe(1);
  });

  it("keeps every request while it grows to 100,000 and shrinks again", () => {
    const { table, add } = setUp();
    const requests = Array.from({ length: 100_000 }, () => add());
    expect(table.size).toBe(100_000);
    expect(requests.every((request) => table.find(request.id) === request)).toBe(true);
    for (const request of requests) table.remove(request);
    expect(table.size).toBe(0);
    const next = add();
    expect([next.id, table.find(next.id) === next]).toEqual([100_001, true]);
  });

  it("lists what matches, oldest first", () => {
    const { table, add } = setUp();
    const requests = Array.from({ length: 200 }, () => add());
    for (const request of requests) if (request.id % 3 === 0) request.target = "a";
    expect(table.filter(({ target }) => target === "a").map(({ id }) => id)).toEqual(
      requests.map(({ id }) => id).filter((id) => id % 3 === 0),
    );
  });

  it("ends requests at their deadline in the order of their deadlines, not before, with one timer", async () => {
    const { runtime, table, timedOut, add } = setUp();
    const [late, early, never] = [add(100), add(50), add()];
    for (const { promise } of [late, early, never]) promise.catch(() => {});
    expect(runtime.timersInMs).toEqual([50]);
    await runtime.pass(49);
    expect(timedOut).toEqual([]);
    await runtime.pass(1);
    expect(timedOut).toEqual([early.id]);
    expect(runtime.timersInMs).toEqual([50]);
    await runtime.pass(50);
    expect(timedOut).toEqual([early.id, late.id]);
    expect([table.size, runtime.timersInMs]).toEqual([1, []]);
  });

  it("ends a request with timeoutMs 0 in the next turn", async () => {
    const { runtime, timedOut, add } = setUp();
    add(0).promise.catch(() => {});
    expect(timedOut).toEqual([]);
    await runtime.pass(0);
    expect(timedOut).toHaveLength(1);
  });

  it("notices a deadline at most 5 ms late, whatever else is under way", async () => {
    const { runtime, timedOut, add } = setUp();
    const dueMs: number[] = [];
    for (let i = 0; i < 200; i++) {
      const request = add(10 + (i % 13));
      dueMs[request.id] = runtime.now() + request.timeoutMs;
      request.promise.catch(() => {});
      runtime.advance(1);
      for (const id of timedOut.splice(0)) {
        assert.ok(runtime.now() - (dueMs[id] ?? 0) <= 6, `request ${id} ended too late`);
        assert.ok(runtime.now() >= (dueMs[id] ?? 0), `request ${id} ended too early`);
      }
    }
  });

  it("counts the time of all requests of a tick from the one stamp at its end", async () => {
    const { runtime, table, timedOut } = setUp();
    const [late, early] = [table.add(payload, 100, false), table.add(payload, 50, false)];
    for (const { promise } of [late, early]) promise.catch(() => {});
    expect([runtime.timersInMs, early.deadlineMs]).toEqual([[], Infinity]);
    await runtime.pass(30);
    table.stamp();
    table.stamp();
    expect([runtime.timersInMs, early.deadlineMs, late.deadlineMs]).toEqual([[50], 80, 130]);
    const later = table.add(payload, 20, false);
    later.promise.catch(() => {});
    expect(later.deadlineMs).toBe(Infinity);
    table.stamp();
    expect(runtime.timersInMs).toEqual([20]);
    await runtime.pass(100);
    expect(timedOut).toEqual([later.id, early.id, late.id]);
  });

  it("has no timer once it is closed", async () => {
    const { runtime, table, add } = setUp();
    const request = add(100);
    table.reject(request, gone);
    table.close();
    expect(runtime.timersInMs).toEqual([]);
  });

  it("tells of an abort while the request is in, and leaves no listener behind", () => {
    const { table, add } = setUp();
    const abort = new AbortController();
    let aborted = 0;
    const [kept, removed] = [add(), add()];
    table.watch(abort.signal, kept, () => void aborted++);
    table.watch(abort.signal, removed, () => void aborted++);
    table.remove(removed);
    abort.abort();
    expect(aborted).toBe(1);
  });

  it("never gives an id that is in use, nor 0 nor 0xffffffff, whatever comes and goes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99), { maxLength: 600 }), (steps) => {
        const { table, add } = setUp();
        const model: Pending[] = [];
        for (const step of steps) {
          if (step < 60 || model.length === 0) {
            const request = add();
            assert.ok(request.id !== 0 && request.id !== 0xffff_ffff);
            assert.ok(!model.some(({ id }) => id === request.id));
            model.push(request);
          } else {
            const [request] = model.splice(step % model.length, 1);
            assert.ok(request !== undefined && table.remove(request));
          }
          assert.equal(table.size, model.length);
        }
        for (const request of model) assert.equal(table.find(request.id), request);
      }),
    );
  });

  it("ends the requests that a plain list says are over, whatever comes and goes", async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed);
      const pick = (count: number): number => Math.floor(random() * count);
      const { runtime, table, timedOut } = setUp();
      let model: { request: Pending; dueMs: number }[] = [];
      let added: Pending[] = [];
      for (let step = 0; step < 400; step++) {
        const what = pick(10);
        if (what < 6) {
          const request = table.add(payload, [0, 3, 20, 21, 100, Infinity][pick(6)] ?? 0, false);
          request.promise.catch(() => {});
          added.push(request);
        } else if (what < 8 && model.length > 0) {
          const [removed] = model.splice(pick(model.length), 1);
          assert.ok(removed !== undefined && table.remove(removed.request));
        } else {
          table.stamp();
          const nowMs = runtime.now();
          model.push(...added.map((request) => ({ request, dueMs: nowMs + request.timeoutMs })));
          added = [];
          runtime.advance(pick(15));
        }
        const over = new Set(timedOut.splice(0));
        const nowMs = runtime.now();
        for (const { request, dueMs } of model) {
          if (over.has(request.id)) assert.ok(dueMs <= nowMs, `seed ${seed}: too early`);
          else assert.ok(dueMs + 5 > nowMs, `seed ${seed}: ${nowMs - dueMs} ms late`);
        }
        model = model.filter(({ request }) => !over.delete(request.id));
        assert.equal(over.size, 0);
        assert.equal(table.size, model.length + added.length);
      }
    }
  });
});
