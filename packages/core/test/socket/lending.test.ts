import { incompressibleBytes, waitFor } from "@msg-ts/testing";
import { gzip } from "@msg-ts/compression/gzip";
import { Tcp } from "@msg-ts/transports/tcp";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PullOptions } from "../../src/socket/push-pull/pull-options.ts";
import { PullSocket } from "../../src/socket/push-pull/pull.ts";
import type { Job } from "../../src/socket/push-pull/job.ts";
import type { PushOptions } from "../../src/socket/push-pull/push-options.ts";
import { PushSocket } from "../../src/socket/push-pull/push.ts";
import { PubSocket } from "../../src/socket/pub-sub/pub.ts";
import { SubSocket } from "../../src/socket/pub-sub/sub.ts";

const noise = incompressibleBytes(700_000);

/** Small ones, ones that lie in a slab, and ones that have memory of their own, mixed. */
const sizes = Array.from({ length: 300 }, (_, i) => [10, 300, 9_000, 70_000, 300_000][i % 5] ?? 0);

function payloadOf(index: number): Uint8Array {
  return noise.subarray(index, index + (sizes[index] ?? 0));
}

function isRight(payload: Uint8Array, index: number): boolean {
  return Buffer.compare(payload, payloadOf(index)) === 0;
}

async function pair(pullOptions: PullOptions = {}, pushOptions: PushOptions = {}) {
  const pull = new PullSocket(new Tcp(), pullOptions);
  onTestFinished(async () => void (await pull.close({ lingerMs: 0 })));
  await pull.bind("127.0.0.1:0");
  const push = new PushSocket(new Tcp(), pushOptions);
  onTestFinished(async () => void (await push.close({ lingerMs: 0 })));
  await push.connect(pull.address);
  await push.ready();
  return { pull, push };
}

async function sendAll(push: PushSocket): Promise<void> {
  for (let index = 0; index < sizes.length; index++) await push.send(payloadOf(index));
}

describe("a callback that is lent its payloads", () => {
  it("sees each as it was sent, whatever its size", async () => {
    const { pull, push } = await pair();
    const wrong: number[] = [];
    let count = 0;
    const onJob = ({ payload }: Job): void => {
      if (!isRight(payload, count)) wrong.push(count);
      count++;
    };
    pull.consume(onJob, { lend: true });
    await sendAll(push);
    await push.settled();
    expect([count, wrong]).toEqual([sizes.length, []]);
  });

  it("is lent the same memory again for large ones", async () => {
    const { pull, push } = await pair();
    const memories = new Set<ArrayBufferLike>();
    pull.consume(({ payload }) => void memories.add(payload.buffer), { lend: true });
    for (let count = 0; count < 50; count++) await push.send(noise);
    await push.settled();
    expect(memories.size).toBeLessThan(5);
  });

  it("sees what had to wait for it as it was sent", async () => {
    const { pull, push } = await pair();
    const wrong: number[] = [];
    let count = 0;
    const onJob = async (job: Job): Promise<void> => {
      const index = count++;
      // Read before anything else runs, as lending asks.
      if (!isRight(job.payload, index)) wrong.push(index);
      await new Promise(setImmediate);
    };
    pull.consume(onJob, { lend: true });
    await sendAll(push);
    await push.settled();
    expect([count, wrong]).toEqual([sizes.length, []]);
  });

  it("leaves what others receive afterwards alone", async () => {
    const { pull, push } = await pair();
    const kept: Job[] = [];
    let count = 0;
    const consumer = pull.consume(
      () => {
        count++;
        if (count < 40) return;
        // In the midst of a chunk: what follows in it is kept by the next one.
        void consumer.stop();
        pull.consume((job) => void kept.push(job));
      },
      { lend: true },
    );
    const sent = sendAll(push);
    await waitFor(() => count + kept.length === sizes.length, { what: "all came" });
    await sent;
    expect(kept.filter((job, index) => !isRight(job.payload, index + count))).toEqual([]);
  });

  it("sees compressed ones as they were before", async () => {
    const compressor = gzip();
    const { pull, push } = await pair({ decompressors: [compressor] }, { compressor });
    const text = Buffer.from("all the same ".repeat(20_000));
    let right = 0;
    const onJob = ({ payload }: Job): void => {
      if (Buffer.compare(payload, text) === 0) right++;
    };
    pull.consume(onJob, { lend: true });
    for (let count = 0; count < 30; count++) await push.send(text);
    await push.settled();
    expect(right).toBe(30);
  });

  it("is one of a SUB as well", async () => {
    const pub = new PubSocket(new Tcp(), { whenSlow: "wait" });
    onTestFinished(async () => void (await pub.close({ lingerMs: 0 })));
    await pub.bind("127.0.0.1:0");
    const sub = new SubSocket(new Tcp());
    onTestFinished(async () => void (await sub.close({ lingerMs: 0 })));
    await sub.connect(pub.address);
    await sub.subscribe("t");
    let count = 0;
    let right = 0;
    const onMessage = ({ payload }: { payload: Uint8Array }): void => {
      if (isRight(payload, count)) right++;
      count++;
    };
    sub.consume(onMessage, { lend: true });
    for (let index = 0; index < sizes.length; index++) await pub.publish("t", payloadOf(index));
    await waitFor(() => count === sizes.length, { what: "all came" });
    expect(right).toBe(sizes.length);
  });

  it("is refused anything but a boolean", async () => {
    const { pull } = await pair();
    expect(() => pull.consume(() => {}, { lend: 1 as unknown as boolean })).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
    );
  });
});
