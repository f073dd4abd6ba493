import { expectNoLeaks, waitFor } from "@msg-ts/testing";

import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import type { SocketEvents } from "../../../src/socket/events.ts";
import { PushSocket } from "../../../src/socket/push-pull/push.ts";
import { flowHex, jobHex, RawPeer, rejection, Rig, TappedInproc, turns } from "./push-pull-rig.ts";

const longLingerMs = 60_000;

describe("PUSH close()", () => {
  expectNoLeaks();

  it("rejects the sends that wait with MSG_CLOSED when nobody takes them", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    const sends = [rig.push.send("1"), rig.push.send("2")];
    const closing = rig.push.close({ lingerMs: 20 });
    for (const sending of sends) {
      expect(await rejection(sending)).toMatchObject({ code: "MSG_CLOSED" });
    }
    expect(await closing).toEqual({ unsent: 2, unacknowledged: 0 });
    pull.destroy();
  });

  it("hands a job that waits to a PULL that comes while it closes", async () => {
    const rig = await Rig.start();
    void rig.push.send("1");
    const closing = rig.push.close({ lingerMs: longLingerMs });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await pull.expect(jobHex(0, "1"));
    pull.write(flowHex("ack", 0, 1));
    await pull.closed();
    pull.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("does not wait when nothing is dialed or listened on that could bring a PULL", async () => {
    const { push } = await Rig.start();
    await push.unbind("jobs");
    void push.send("1");
    expect(await push.close({ lingerMs: longLingerMs })).toEqual({ unsent: 1, unacknowledged: 0 });
  });

  it("ends at once, and reports, with lingerMs 0", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 2));
    await turns();
    for (let i = 0; i < 2; i++) void rig.push.send(String(i));
    await pull.received(22);
    const waiting = rig.push.send("2");
    const closed = rig.push.once("closed");
    const report = await rig.push.close({ lingerMs: 0 });
    expect(report).toEqual({ unsent: 1, unacknowledged: 2 });
    expect(await closed).toEqual(report);
    expect(await rejection(waiting)).toMatchObject({ code: "MSG_CLOSED" });
  });

  it("reports what never left as unsent", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 2));
    await turns();
    void rig.push.send("in the outbox");
    expect(await rig.push.close({ lingerMs: 0 })).toEqual({ unsent: 1, unacknowledged: 0 });
  });

  it("reports what is not acknowledged when linger ends, and drops nothing by itself", async () => {
    const rig = await Rig.start({ maxDeliveries: 1 });
    const pull = await rig.rawPull();
    const events: SocketEvents["dropped"][] = [];
    rig.push.on("dropped", (event) => events.push(event));
    pull.write(flowHex("window", 0, 3));
    await turns();
    for (let i = 0; i < 3; i++) void rig.push.send(String(i));
    await pull.received(33);
    pull.write(flowHex("ack", 1, 1));
    expect(await rig.push.close({ lingerMs: 30 })).toEqual({ unsent: 0, unacknowledged: 2 });
    expect(events).toEqual([]);
  });

  it("ends early when every job is acknowledged, also those that waited", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await turns();
    const sends = ["a", "b", "c"].map((payload) => rig.push.send(payload));
    const closing = rig.push.close({ lingerMs: longLingerMs });
    for (const [i, payload] of ["a", "b", "c"].entries()) {
      await pull.expect(jobHex(i, payload));
      pull.write(flowHex("ack", i, 1));
    }
    for (const sending of sends) await sending;
    await waitFor(() => pull.hasEnded, { what: "the PUSH ends its stream" });
    pull.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("gives the jobs of a PULL that is lost meanwhile to another", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 8));
    await turns();
    void rig.push.send("1");
    await pull.received(11);
    const other = await rig.rawPull();
    other.write(flowHex("window", 0, 1));
    await turns();
    const closing = rig.push.close({ lingerMs: longLingerMs });
    pull.destroy();
    await other.expect(jobHex(0, "1", 1));
    other.write(flowHex("ack", 0, 1));
    await other.closed();
    other.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("gives what a lost PULL had to one that comes while it closes", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 8));
    await turns();
    void rig.push.send("1");
    await pull.received(11);
    const closing = rig.push.close({ lingerMs: longLingerMs });
    pull.destroy();
    const next = await rig.rawPull();
    next.write(flowHex("window", 0, 8));
    await next.expect(jobHex(0, "1", 1));
    next.write(flowHex("ack", 0, 1));
    await next.closed();
    next.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("waits for jobs that come back from a back-off", async () => {
    const rig = await Rig.start({ redeliveryDelayMs: 20 });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 8));
    await turns();
    void rig.push.send("1");
    await pull.expect(jobHex(0, "1"));
    const closing = rig.push.close({ lingerMs: longLingerMs });
    pull.write(flowHex("nack", 0, 1));
    await pull.expect(jobHex(1, "1", 1));
    pull.write(flowHex("ack", 1, 1));
    await pull.closed();
    pull.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("counts a refused job that waits as unacknowledged, and leaves no timer behind", async () => {
    const rig = await Rig.start({ redeliveryDelayMs: 60_000 });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 8));
    await turns();
    void rig.push.send("1");
    await pull.expect(jobHex(0, "1"));
    pull.write(flowHex("nack", 0, 1));
    await waitFor(() => rig.push.stats().returned === 1, { what: "it came back" });
    expect(await rig.push.close({ lingerMs: 10 })).toEqual({ unsent: 0, unacknowledged: 1 });
  });

  it("reports the jobs of a connection that its transport never ends", async () => {
    const hub = new InprocHub();
    const tap = new TappedInproc(hub);
    const push = new PushSocket(tap);
    const accepted: RawPeer[] = [];
    const listener = await new Inproc(hub).listen("pull", {
      onLink: (link) => void accepted.push(new RawPeer(link)),
      onError: () => {},
      onRefused: () => {},
    });
    await push.connect("pull");
    await waitFor(() => accepted[0]?.hex.length === 10, { what: "the PUSH says HELLO" });
    //                 version type name
    accepted[0]?.write(`00 01  06   0000 ${flowHex("window", 0, 8)}`);
    await push.send("1");
    await accepted[0]?.received(5 + 11);
    const [link] = tap.links;
    const destroy = link?.destroy.bind(link);
    Object.assign(link ?? {}, { destroy: () => {} });
    expect(await push.close({ lingerMs: 0 })).toEqual({ unsent: 0, unacknowledged: 1 });
    destroy?.();
    await listener.close();
  });

  it("reports the jobs it does not keep, at most once", async () => {
    const rig = await Rig.start({ delivery: "at-most-once" });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 8));
    await turns();
    void rig.push.send("1");
    void rig.push.send("2");
    await pull.received(22);
    pull.write(flowHex("ack", 0, 1));
    expect(await rig.push.close({ lingerMs: 20 })).toEqual({ unsent: 0, unacknowledged: 1 });
  });
});
