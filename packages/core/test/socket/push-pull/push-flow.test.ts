import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { PushOptions } from "../../../src/socket/push-pull/push-options.ts";
import type { PushSocket } from "../../../src/socket/push-pull/push.ts";
import type { RawPeer } from "./push-pull-rig.ts";
import { flowHex, jobHex, Rig, turns } from "./push-pull-rig.ts";

/** A PUSH, and a PULL by hand that has allowed `window` jobs and got `jobs` of them. */
async function scene(
  window: number,
  jobs: number,
  options: PushOptions = {},
): Promise<{ rig: Rig; push: PushSocket; pull: RawPeer }> {
  const rig = await Rig.start(options);
  const pull = await rig.rawPull();
  pull.write(flowHex("window", 0, window));
  await turns();
  for (let i = 0; i < jobs; i++) void rig.push.send(String(i));
  await pull.received(jobs * 11);
  pull.forget();
  return { rig, push: rig.push, pull };
}

describe("PUSH closes a PULL's connection with MSG_PROTOCOL", () => {
  it.each([
    ["acknowledges a job that was not sent", flowHex("ack", 3, 1)],
    ["acknowledges beyond what was sent", flowHex("ack", 0, 4)],
    ["refuses a job that was not sent", flowHex("nack", 3, 1)],
    ["acknowledges from too far back", flowHex("ack", 0xfffe_ffff, 1)],
    ["acknowledges no job", flowHex("ack", 0, 0)],
    ["acknowledges 65,537 jobs", flowHex("ack", 0, 65_537)],
    ["gives a window with a sequence", "04 00 00000001 00000001"],
    ["says goodbye with a count", "04 03 00000000 00000001"],
    ["sends a flow of unknown kind", "04 04 00000000 00000000"],
    ["sends a frame of another kind", "02 00 00000000 00000000"],
  ])("when it %s", async (_what, frame) => {
    const { push, pull } = await scene(8, 3);
    const disconnected = push.once("disconnected");
    pull.write(frame);
    await pull.closed();
    pull.destroy();
    expect((await disconnected).reason?.code).toBe("MSG_PROTOCOL");
    expect(push.stats()).toMatchObject({ returned: 3, unacknowledged: 0 });
  });
});

describe("PUSH", () => {
  it("gives nothing more to a PULL whose connection it is ending", async () => {
    const { push, pull } = await scene(8, 1);
    pull.write(flowHex("ack", 7, 1));
    await waitFor(() => pull.hasEnded, { what: "the PUSH ends its side" });
    expect(push.peers).toHaveLength(1);
    expect(push.trySend("1")).toBe(false);
  });

  it("sends nothing before the first WINDOW", async () => {
    const { push, pull, rig } = await scene(0, 0);
    const second = await rig.rawPull();
    void push.send("1");
    await turns();
    expect([pull.hex, second.hex]).toEqual(["", ""]);
    second.write(flowHex("window", 0, 1));
    await second.expect(jobHex(0, "1"));
  });

  it("never has more unsettled jobs at a PULL than its window", async () => {
    const { push, pull } = await scene(2, 2);
    void push.send("2");
    void push.send("3");
    await turns();
    expect(pull.hex).toBe("");
    pull.write(flowHex("ack", 0, 1));
    await pull.expect(jobHex(2, "2"));
    pull.write(flowHex("ack", 2, 1));
    await pull.expect(jobHex(3, "3"));
    expect(push.stats()).toMatchObject({ unacknowledged: 2, unacknowledgedBytes: 2 });
  });

  it("never has more unsettled jobs at a PULL than maxUnacked", async () => {
    const { push, pull } = await scene(8, 2, { maxUnacked: 2 });
    void push.send("2");
    await turns();
    expect(pull.hex).toBe("");
    pull.write(flowHex("ack", 1, 1));
    await pull.expect(jobHex(2, "2"));
  });

  it("takes the largest window there is for maxUnacked", async () => {
    const { push, pull } = await scene(0xffff_ffff, 3, { maxUnacked: 3 });
    void push.send("3");
    await turns();
    expect(pull.hex).toBe("");
    expect(push.stats()).toMatchObject({ waiting: 1, unacknowledged: 3 });
  });

  it("gives no more jobs to a PULL whose unsettled bytes reach maxUnackedBytes", async () => {
    const { push, pull } = await scene(100, 0, { maxUnackedBytes: 10 });
    void push.send("123456789");
    void push.send("abc");
    void push.send("d");
    await pull.expect(jobHex(0, "123456789") + jobHex(1, "abc"));
    pull.write(flowHex("ack", 1, 1));
    expect(await pull.expect(jobHex(2, "d"))).toBe(true);
  });

  it("always gives a PULL one job, however large", async () => {
    const { push, pull } = await scene(100, 0, { maxUnackedBytes: 1 });
    void push.send("large");
    void push.send("next");
    await pull.expect(jobHex(0, "large"));
    pull.write(flowHex("ack", 0, 1));
    expect(await pull.expect(jobHex(1, "next"))).toBe(true);
  });

  it("pauses at WINDOW 0 and recalls nothing", async () => {
    const { push, pull } = await scene(4, 3);
    pull.write(flowHex("window", 0, 0));
    await turns();
    void push.send("3");
    pull.write(flowHex("ack", 0, 2));
    await turns();
    expect(pull.hex).toBe("");
    expect(push.stats()).toMatchObject({ waiting: 1, unacknowledged: 1 });
    pull.write(flowHex("window", 0, 1));
    await turns();
    expect(pull.hex).toBe("");
    pull.write(flowHex("window", 0, 2));
    await pull.expect(jobHex(3, "3"));
  });

  it("gives nothing more to a PULL that said BYE, and still hears what it settles", async () => {
    const { push, pull, rig } = await scene(8, 2);
    pull.write(flowHex("bye"));
    await turns();
    expect(push.trySend("2")).toBe(false);
    pull.write(flowHex("ack", 0, 1) + flowHex("nack", 1, 1));
    await waitFor(() => push.stats().unacknowledged === 0, { what: "both are settled" });
    const other = await rig.rawPull();
    other.write(flowHex("window", 0, 8));
    await other.expect(jobHex(0, "1", 1));
  });

  it("ignores and counts what was settled before", async () => {
    const { push, pull } = await scene(8, 3);
    pull.write(flowHex("ack", 0, 2) + flowHex("ack", 0, 2) + flowHex("nack", 1, 1));
    pull.write(flowHex("ack", 0xffff_ffff, 3));
    await waitFor(() => push.stats().ignoredSettlements === 6, { what: "six are ignored" });
    expect(push.stats()).toMatchObject({ acknowledged: 2, refusedJobs: 0, unacknowledged: 1 });
  });

  it("keeps sequences within 65,536 of the oldest unsettled job", async () => {
    const { push, pull } = await scene(0xffff_ffff, 0);
    pull.forget();
    for (let i = 0; i < 65_535; i++) void push.send("");
    await pull.received(65_535 * 10);
    pull.write(flowHex("ack", 1, 65_534));
    await waitFor(() => push.stats().unacknowledged === 1, { what: "all but one are done" });
    expect(push.trySend("last")).toBe(true);
    expect(push.trySend("too far")).toBe(false);
    pull.write(flowHex("ack", 0, 1));
    await waitFor(() => push.trySend("further"), { what: "there are numbers again" });
  });

  it("writes jobs as the wire has them", async () => {
    const { push, pull } = await scene(8, 0);
    void push.send("hello");
    //               kind flags seq     length   payload
    expect(await pull.expect("04  00  00000000 00000005 68656c6c6f")).toBe(true);
  });
});

describe("PUSH with several PULLs", () => {
  it("gives a job to the one with the most free window", async () => {
    const { push, pull: small, rig } = await scene(2, 0);
    const large = await rig.rawPull();
    large.write(flowHex("window", 0, 4));
    await turns();
    for (const payload of ["a", "b"]) void push.send(payload);
    await large.expect(jobHex(0, "a") + jobHex(1, "b"));
    expect(small.hex).toBe("");
  });

  it("takes turns among equals", async () => {
    const { push, pull: first, rig } = await scene(8, 0);
    const others = [await rig.rawPull(), await rig.rawPull()];
    for (const other of others) other.write(flowHex("window", 0, 8));
    await turns();
    for (let i = 0; i < 9; i++) void push.send(String(i));
    for (const pull of [first, ...others]) await pull.received(33);
    const counts = [first, ...others].map((pull) => pull.hex.length / 22);
    expect(counts).toEqual([3, 3, 3]);
  });

  it("takes turns also when each job is done before the next", async () => {
    const { push, pull: first, rig } = await scene(8, 0);
    const second = await rig.rawPull();
    second.write(flowHex("window", 0, 8));
    await turns();
    for (let i = 0; i < 4; i++) {
      void push.send(String(i));
      const pull = i % 2 === 0 ? first : second;
      expect(await pull.expect(jobHex(i >> 1, String(i)))).toBe(true);
      pull.write(flowHex("ack", i >> 1, 1));
      await waitFor(() => push.stats().unacknowledged === 0, { what: "it is done" });
    }
  });

  it("does not let one that takes nothing hold up another", async () => {
    const { push, pull: stuck, rig } = await scene(1, 1);
    const other = await rig.rawPull();
    other.write(flowHex("window", 0, 1));
    await turns();
    for (let i = 1; i < 5; i++) void push.send(String(i));
    for (let i = 0; i < 4; i++) {
      await other.expect(jobHex(i, String(i + 1)));
      other.write(flowHex("ack", i, 1));
    }
    expect(stuck.hex).toBe("");
  });
});
