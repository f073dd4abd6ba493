import { cuttableProxy, expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Tcp } from "@msg-ts/transports/tcp";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PullOptions } from "../../../src/socket/push-pull/pull-options.ts";
import { PullSocket } from "../../../src/socket/push-pull/pull.ts";
import type { PushOptions } from "../../../src/socket/push-pull/push-options.ts";
import { PushSocket } from "../../../src/socket/push-pull/push.ts";

async function boundPush(options: PushOptions = {}): Promise<PushSocket> {
  const push = new PushSocket(new Tcp(), options);
  onTestFinished(async () => void (await push.close({ lingerMs: 0 })));
  await push.bind("127.0.0.1:0");
  return push;
}

async function pullFrom(address: string, options: PullOptions = {}): Promise<PullSocket> {
  const pull = new PullSocket(new Tcp(), {
    reconnect: { minDelayMs: 1, maxDelayMs: 5 },
    ...options,
  });
  onTestFinished(async () => void (await pull.close({ lingerMs: 0 })));
  await pull.connect(address);
  await pull.ready();
  return pull;
}

describe("PUSH and PULL over TCP", () => {
  expectNoLeaks();

  it("do every job of every size, in order", async () => {
    const push = await boundPush();
    const pull = await pullFrom(push.address);
    const sizes = [0, 1, 16, 17, 1_024, 16_384, 16_385, 70_000, 300_000, 2_000_000];
    const seen: number[] = [];
    pull.consume((job) => {
      expect(job.payload.every((byte) => byte === job.payload.length % 251)).toBe(true);
      seen.push(job.payload.length);
    });
    for (const size of sizes) await push.send(new Uint8Array(size).fill(size % 251));
    await waitFor(() => push.stats().acknowledged === sizes.length, { what: "all are done" });
    expect(seen).toEqual(sizes);
    expect(await push.close()).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("lose no job while the network is cut again and again", async () => {
    const total = 5_000;
    const push = await boundPush();
    const proxy = await cuttableProxy({ to: push.address });
    onTestFinished(() => proxy.close());
    const pull = await pullFrom(proxy.address, { window: 200 });
    const done = new Set<string>();
    let cuts = 0;
    pull.consume((job) => {
      done.add(job.text());
      if (done.size > (cuts + 1) * 800) {
        cuts++;
        proxy.cut();
      }
    });
    for (let i = 0; i < total; i++) await push.send(String(i));
    await waitFor(() => push.stats().acknowledged === total, {
      what: "all are done",
      withinMs: 15_000,
    });
    expect(done.size).toBe(total);
    expect(cuts).toBeGreaterThan(3);
    expect(push.stats()).toMatchObject({ unacknowledged: 0, returned: 0, dropped: {} });
  });

  it("wait for room with the smallest sendHighWaterBytes", async () => {
    const push = await boundPush({ sendHighWaterBytes: 1 });
    const pull = await pullFrom(push.address, { sendHighWaterBytes: 1 });
    pull.consume(() => {});
    const sends = Array.from({ length: 200 }, (_, i) => push.send(String(i)));
    for (const sending of sends) await sending;
    await waitFor(() => push.stats().acknowledged === 200, { what: "all are done" });
    expect(push.stats()).toMatchObject({ waiting: 0, unacknowledged: 0 });
  });

  it("hold up the PUSH when the PULL takes nothing, and bound what both keep", async () => {
    const push = await boundPush({ maxUnackedBytes: 1_000_000, maxWaiting: 10 });
    const pull = await pullFrom(push.address, { maxQueuedBytes: 100_000 });
    await push.ready();
    const payload = new Uint8Array(50_000);
    let refusal: unknown;
    for (let i = 0; i < 1_000 && refusal === undefined; i++) {
      try {
        void push.send(payload);
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toMatchObject({ code: "MSG_HIGH_WATER_MARK" });
    await waitFor(() => pull.stats().queued >= 2, { what: "the PULL is full" });
    expect(pull.stats().queuedBytes).toBeLessThan(200_000);
    expect(push.stats().unacknowledgedBytes).toBeLessThanOrEqual(1_050_000);
    pull.consume(() => {});
    await waitFor(() => push.stats().waiting === 0, { what: "it goes on" });
  });

  it("hand everything over when the PUSH closes right after the last send", async () => {
    const push = await boundPush();
    const pull = await pullFrom(push.address);
    const seen: string[] = [];
    pull.consume((job) => void seen.push(job.text()));
    for (let i = 0; i < 1_000; i++) void push.send(String(i));
    expect(await push.close({ lingerMs: 10_000 })).toEqual({ unsent: 0, unacknowledged: 0 });
    expect(seen).toHaveLength(1_000);
  });
});
