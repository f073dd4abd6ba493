import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { SocketEvents } from "../../../src/socket/events.ts";
import type { PushOptions } from "../../../src/socket/push-pull/push-options.ts";
import type { PushPeer } from "../../../src/socket/push-pull/push-peer.ts";
import type { RawPeer } from "./push-pull-rig.ts";
import { flowHex, jobHex, Rig, turns } from "./push-pull-rig.ts";

async function pullWith(rig: Rig, window: number): Promise<RawPeer> {
  const pull = await rig.rawPull();
  pull.write(flowHex("window", 0, window));
  await turns();
  return pull;
}

async function scene(
  window: number,
  options: PushOptions = {},
): Promise<{ rig: Rig; pull: RawPeer }> {
  const rig = await Rig.start(options);
  return { rig, pull: await pullWith(rig, window) };
}

function drops(rig: Rig): SocketEvents["dropped"][] {
  const events: SocketEvents["dropped"][] = [];
  rig.push.on("dropped", (event) => events.push(event));
  return events;
}

describe("a job whose PULL is lost", () => {
  it("is dropped after maxDeliveries, with an event that carries it", async () => {
    const { rig, pull } = await scene(8, { maxDeliveries: 2 });
    const events = drops(rig);
    void rig.push.send("poison");
    await pull.received(16);
    pull.destroy();
    const second = await pullWith(rig, 8);
    await second.expect(jobHex(0, "poison", 1));
    second.destroy();
    await waitFor(() => events.length === 1, { what: "the job is dropped" });
    expect(events[0]).toMatchObject({ reason: "undeliverable", count: 1 });
    expect(new TextDecoder().decode(events[0]?.payload)).toBe("poison");
    expect(rig.push.stats()).toMatchObject({
      dropped: { undeliverable: 1 },
      returned: 0,
      unacknowledged: 0,
      redelivered: 1,
    });
  });

  it("goes to another one before new jobs, in its order, with one more delivery", async () => {
    const { rig, pull } = await scene(3);
    for (let i = 0; i < 3; i++) void rig.push.send(String(i));
    const waiting = rig.push.send("3");
    await pull.received(33);
    pull.write(flowHex("ack", 1, 1));
    await pull.received(44);
    await waiting;
    void rig.push.send("new");
    pull.destroy();
    const other = await pullWith(rig, 8);
    await other.expect(
      jobHex(0, "0", 1) + jobHex(1, "2", 1) + jobHex(2, "3", 1) + jobHex(3, "new"),
    );
    expect(rig.push.stats()).toMatchObject({ acknowledged: 1, redelivered: 3, returned: 0 });
  });

  it("does not count as delivered when it never left this process", async () => {
    const { rig, pull } = await scene(8);
    // Both are written in the tick in which the connection breaks.
    pull.destroy();
    expect(rig.push.trySend("1")).toBe(true);
    expect(rig.push.trySend("2")).toBe(true);
    for (const peer of connectionsOf(rig)) peer.destroy();
    const other = await pullWith(rig, 8);
    await other.expect(jobHex(0, "1") + jobHex(1, "2"));
    expect(rig.push.stats().redelivered).toBe(0);
  });

  it("counts as delivered when the link had it, whether or not it arrived", async () => {
    const { rig, pull } = await scene(8);
    pull.setReading(false);
    void rig.push.send("1");
    await turns();
    pull.destroy();
    const other = await pullWith(rig, 8);
    expect(await other.expect(jobHex(0, "1", 1))).toBe(true);
  });

  it("comes again at once when its PULL ended in order, also when that does not read", async () => {
    const { rig, pull } = await scene(8);
    void rig.push.send("1");
    await pull.received(11);
    const other = await pullWith(rig, 2);
    pull.setReading(false);
    void rig.push.send("2");
    await turns();
    pull.end();
    // An end in order would wait for the PULL's side for a second.
    await waitFor(() => other.hex !== "", { what: "it comes again", withinMs: 700 });
    expect(await other.expect(jobHex(0, "1", 1) + jobHex(1, "2", 1))).toBe(true);
  });

  it("has a flag that stops counting at 15 and a life that goes on", async () => {
    const { rig, pull } = await scene(8, { maxDeliveries: 20 });
    void rig.push.send("1");
    await pull.received(11);
    pull.destroy();
    for (let delivery = 1; delivery < 19; delivery++) {
      const next = await pullWith(rig, 8);
      await next.expect(jobHex(0, "1", Math.min(delivery, 15)));
      next.destroy();
    }
    const last = await pullWith(rig, 8);
    await last.received(11);
    last.write(flowHex("ack", 0, 1));
    await waitFor(() => rig.push.stats().acknowledged === 1, { what: "it is done at last" });
    expect(rig.push.stats()).toMatchObject({ redelivered: 19, dropped: {} });
  });
});

/** The PUSH's own ends, to break them within a tick. */
function connectionsOf(rig: Rig): readonly { destroy(): void }[] {
  const { endpoints } = rig.push as unknown as {
    endpoints: { peers: ReadonlySet<{ connection: { destroy(): void } }> };
  };
  return Array.from(endpoints.peers, (peer) => peer.connection);
}

describe("a job that is refused", () => {
  it("goes to another PULL at once, and not to the one that refused it", async () => {
    const { rig, pull } = await scene(8);
    void rig.push.send("1");
    await pull.received(11);
    pull.forget();
    const other = await pullWith(rig, 8);
    pull.write(flowHex("nack", 0, 1));
    await other.expect(jobHex(0, "1", 1));
    expect(pull.hex).toBe("");
    expect(rig.push.stats()).toMatchObject({ refusedJobs: 1, redelivered: 1, acknowledged: 0 });
  });

  it("comes back to the only PULL after a back-off, and holds up nothing meanwhile", async () => {
    const { rig, pull } = await scene(1, { redeliveryDelayMs: 30 });
    void rig.push.send("1");
    await pull.expect(jobHex(0, "1"));
    const refusedAtMs = performance.now();
    pull.write(flowHex("nack", 0, 1));
    await waitFor(() => rig.push.stats().returned === 1, { what: "it came back" });
    void rig.push.send("2");
    await pull.expect(jobHex(1, "2"));
    pull.write(flowHex("ack", 1, 1));
    await pull.expect(jobHex(2, "1", 1));
    expect(performance.now() - refusedAtMs).toBeGreaterThan(25);
  });

  it("is dropped after maxDeliveries, with an event that carries it", async () => {
    const { rig, pull } = await scene(8, { maxDeliveries: 3, redeliveryDelayMs: 1 });
    const events = drops(rig);
    void rig.push.send("poison");
    for (let i = 0; i < 3; i++) {
      await pull.expect(jobHex(i, "poison", i));
      pull.write(flowHex("nack", i, 1));
    }
    await waitFor(() => events.length === 1, { what: "the job is dropped" });
    expect(events[0]).toMatchObject({ reason: "undeliverable", count: 1 });
    expect(new TextDecoder().decode(events[0]?.payload)).toBe("poison");
    expect(rig.push.stats()).toMatchObject({ dropped: { undeliverable: 1 }, refusedJobs: 3 });
  });

  it("is not used up within a moment by two PULLs that both refuse", async () => {
    const { rig, pull } = await scene(8, { redeliveryDelayMs: 60_000 });
    const other = await pullWith(rig, 7);
    void rig.push.send("1");
    await pull.expect(jobHex(0, "1"));
    pull.write(flowHex("nack", 0, 1));
    await other.expect(jobHex(0, "1", 1));
    other.write(flowHex("nack", 0, 1));
    await waitFor(() => rig.push.stats().returned === 1, { what: "it waits" });
    await turns();
    expect([pull.hex, other.hex]).toEqual(["", ""]);
  });

  it("goes to a PULL that connects later without waiting", async () => {
    const { rig, pull } = await scene(8, { redeliveryDelayMs: 60_000 });
    void rig.push.send("1");
    await pull.expect(jobHex(0, "1"));
    pull.write(flowHex("nack", 0, 1));
    const late = await pullWith(rig, 1);
    expect(await late.expect(jobHex(0, "1", 1))).toBe(true);
  });

  it("stops new jobs from going when maxWaiting of its kind wait", async () => {
    const { rig, pull } = await scene(8, { maxWaiting: 2, redeliveryDelayMs: 60_000 });
    for (const payload of ["1", "2"]) void rig.push.send(payload);
    await pull.expect(jobHex(0, "1") + jobHex(1, "2"));
    pull.write(flowHex("nack", 0, 2));
    await waitFor(() => rig.push.stats().returned === 2, { what: "both came back" });
    expect(rig.push.trySend("3")).toBe(false);
    const sending = rig.push.send("3");
    expect(sending).toBeInstanceOf(Promise);
    const other = await pullWith(rig, 8);
    await sending;
    await other.received(22);
  });
});

describe("PUSH at most once", () => {
  it("counts what a lost PULL had as lost, and does not give it to another", async () => {
    const { rig, pull } = await scene(8, { delivery: "at-most-once" });
    const events = drops(rig);
    for (let i = 0; i < 3; i++) void rig.push.send(String(i));
    await pull.received(33);
    expect(rig.push.stats()).toMatchObject({ unacknowledged: 3, unacknowledgedBytes: 3 });
    pull.write(flowHex("ack", 1, 1));
    await waitFor(() => rig.push.stats().acknowledged === 1, { what: "one is done" });
    const other = await pullWith(rig, 8);
    pull.destroy();
    await waitFor(() => events.length === 1, { what: "the loss is told" });
    expect(events[0]).toMatchObject({ reason: "lost-job", count: 2 });
    expect(rig.push.stats()).toMatchObject({
      dropped: { "lost-job": 2 },
      unacknowledged: 0,
      unacknowledgedBytes: 0,
      returned: 0,
    });
    expect(other.hex).toBe("");
  });

  it("keeps no payload once it is written", async () => {
    const { rig, pull } = await scene(8, { delivery: "at-most-once" });
    void rig.push.send("1");
    await pull.received(11);
    const { endpoints } = rig.push as unknown as { endpoints: { peers: ReadonlySet<PushPeer> } };
    const jobs = Array.from(endpoints.peers, (peer) => peer.takeBack()).flat();
    const keptBytes = jobs.map(({ payload, wire }) => payload.length + (wire?.bytes.length ?? 0));
    expect(keptBytes).toEqual([0]);
  });

  it("keeps to the window until jobs are settled", async () => {
    const { rig, pull } = await scene(2, { delivery: "at-most-once" });
    for (let i = 0; i < 3; i++) void rig.push.send(String(i));
    await pull.expect(jobHex(0, "0") + jobHex(1, "1"));
    pull.write(flowHex("ack", 0, 1));
    expect(await pull.expect(jobHex(2, "2"))).toBe(true);
  });

  it("counts a refused job as lost", async () => {
    const { rig, pull } = await scene(2, { delivery: "at-most-once" });
    void rig.push.send("1");
    await pull.received(11);
    pull.write(flowHex("nack", 0, 1));
    await waitFor(() => rig.push.stats().refusedJobs === 1, { what: "it is refused" });
    expect(rig.push.stats()).toMatchObject({ dropped: { "lost-job": 1 }, returned: 0 });
  });

  it("loses nothing that still waits", async () => {
    const rig = await Rig.start({ delivery: "at-most-once" });
    void rig.push.send("1");
    const first = await rig.rawPull();
    first.destroy();
    const pull = await pullWith(rig, 1);
    expect(await pull.expect(jobHex(0, "1"))).toBe(true);
  });
});
