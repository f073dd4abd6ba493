import { getEventListeners } from "node:events";
import { waitFor } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import { PushSocket } from "../../../src/socket/push-pull/push.ts";
import { RepSocket } from "../../../src/socket/req-rep/rep.ts";
import { SubSocket } from "../../../src/socket/pub-sub/sub.ts";
import { flowHex, jobHex, rejection, Rig, turns } from "./push-pull-rig.ts";

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

describe("PUSH refuses", () => {
  it("a peer that is no PULL", async () => {
    const { hub, push } = await Rig.start();
    const refused = push.once("refused");
    const sub = new SubSocket(new Inproc(hub));
    await sub.connect("jobs");
    const { error } = await refused;
    expect(error.code).toBe("MSG_PROTOCOL");
    await sub.close({ lingerMs: 0 });
    expect(push.peers).toEqual([]);
  });

  it("to dial what is no PULL", async () => {
    const { hub, push } = await Rig.start();
    const rep = new RepSocket(new Inproc(hub));
    await rep.bind("rep");
    const refused = push.once("refused");
    await push.connect("rep");
    expect((await refused).error.code).toBe("MSG_WRONG_SOCKET_TYPE");
    await rep.close({ lingerMs: 0 });
  });

  it("to send after close", async () => {
    const { push } = await Rig.start();
    await push.close();
    expect(() => push.send("late")).toThrow(withCode("MSG_CLOSED"));
    expect(() => push.trySend("late")).toThrow(withCode("MSG_CLOSED"));
  });

  it.each([1, null, undefined, {}, new ArrayBuffer(1)])("the payload %s", async (payload) => {
    const { push } = await Rig.start();
    expect(() => push.send(payload as string)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(() => push.trySend(payload as string)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(push.stats().waiting).toBe(0);
  });

  it("a payload one byte over maxMessageBytes, naming both sizes", async () => {
    const { push } = await Rig.start({ maxMessageBytes: 4 });
    expect(() => push.send("12345")).toThrow("payload has 5 bytes, maxMessageBytes is 4");
    expect(() => push.trySend("12345")).toThrow(withCode("MSG_PAYLOAD_TOO_LARGE"));
    void push.send("1234");
    expect(push.stats().waiting).toBe(1);
  });

  it("the send that is one over maxWaiting, and takes one again when there is room", async () => {
    const rig = await Rig.start({ maxWaiting: 2 });
    const { push } = rig;
    void push.send("1");
    void push.send("2");
    expect(() => push.send("3")).toThrow("2 jobs wait for a PULL, maxWaiting is 2");
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await pull.expect(jobHex(0, "1"));
    void push.send("3");
    expect(() => push.send("4")).toThrow(withCode("MSG_HIGH_WATER_MARK"));
  });

  it("a send over maxWaitingBytes, but never the first", async () => {
    const { push } = await Rig.start({ maxWaitingBytes: 10 });
    void push.send(new Uint8Array(11));
    expect(() => push.send("")).toThrow("11 bytes would wait for a PULL, maxWaitingBytes is 10");
    expect(push.stats()).toMatchObject({ waiting: 1, waitingBytes: 11 });
  });

  it("a send whose signal is aborted already, with the signal's reason", async () => {
    const { push } = await Rig.start();
    const reason = new Error("changed my mind");
    const sending = push.send("1", { signal: AbortSignal.abort(reason) });
    expect(await rejection(sending)).toBe(reason);
    expect(push.stats().waiting).toBe(0);
  });
});

describe("send()", () => {
  it("gives undefined when a PULL gets the job at once", async () => {
    const rig = await Rig.start();
    const pull = await rig.pull();
    expect(rig.push.send("1")).toBeUndefined();
    expect((await pull.receive()).text()).toBe("1");
  });

  it("waits while there is no PULL, and resolves when one gets the job", async () => {
    const rig = await Rig.start();
    let isSent = false;
    const sending = rig.push.send("1")?.then(() => {
      isSent = true;
      return true;
    });
    await turns();
    expect(isSent).toBe(false);
    const pull = await rig.pull();
    expect(await sending).toBe(true);
    expect((await pull.receive()).text()).toBe("1");
  });

  it("waits while the window is full, first come first served", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await turns();
    const order: number[] = [];
    const sends = [1, 2, 3, 4].map(async (number) => {
      await rig.push.send(String(number));
      order.push(number);
    });
    await pull.expect(jobHex(0, "1"));
    expect(order).toEqual([1]);
    pull.write(flowHex("ack", 0, 1));
    await pull.expect(jobHex(1, "2"));
    pull.write(flowHex("window", 0, 3));
    await pull.expect(jobHex(2, "3") + jobHex(3, "4"));
    for (const sending of sends) await sending;
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it("is taken out of the queue by its signal, and those behind it go on", async () => {
    const rig = await Rig.start();
    const abort = new AbortController();
    const reason = new Error("too late");
    const first = rig.push.send("1", { signal: abort.signal });
    const second = rig.push.send("2");
    abort.abort(reason);
    expect(await rejection(first)).toBe(reason);
    expect(rig.push.stats()).toMatchObject({ waiting: 1, waitingBytes: 1 });
    const pull = await rig.pull();
    await second;
    expect((await pull.receive()).text()).toBe("2");
  });

  it("does not hear its signal any more once a PULL has the job", async () => {
    const rig = await Rig.start();
    const abort = new AbortController();
    const sending = rig.push.send("1", { signal: abort.signal });
    const pull = await rig.pull();
    await sending;
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    abort.abort();
    expect((await pull.receive()).text()).toBe("1");
  });

  it("with one signal for many sends listens to it once", async () => {
    const { push } = await Rig.start();
    const abort = new AbortController();
    const sends = Array.from({ length: 100 }, () => push.send("1", { signal: abort.signal }));
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort(new Error("enough"));
    for (const sent of sends) expect(await rejection(sent)).toMatchObject({ message: "enough" });
    expect(push.stats().waiting).toBe(0);
  });

  it("never ends the process when nobody awaits it", async () => {
    const { push } = await Rig.start();
    const abort = new AbortController();
    void push.send("1", { signal: abort.signal });
    void push.send("2");
    abort.abort();
    // An unhandled rejection would fail the run.
    expect(await push.close({ lingerMs: 0 })).toEqual({ unsent: 1, unacknowledged: 0 });
    await turns();
  });

  it("sends the bytes of the call when copy is set", async () => {
    const rig = await Rig.start();
    const payload = new TextEncoder().encode("before");
    void rig.push.send(payload, { copy: true });
    payload.fill(0);
    const pull = await rig.pull();
    expect((await pull.receive()).text()).toBe("before");
  });

  it("takes empty payloads, text and bytes", async () => {
    const rig = await Rig.start();
    const pull = await rig.pull();
    void rig.push.send("");
    void rig.push.send("héllo");
    void rig.push.send(new Uint8Array([1, 2]));
    const payloads = [await pull.receive(), await pull.receive(), await pull.receive()];
    expect(payloads.map((job) => Buffer.from(job.payload).toString("hex"))).toEqual([
      "",
      "68c3a96c6c6f",
      "0102",
    ]);
  });

  it("gives a promise for each 256 KiB, and takes the job all the same", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 10_000));
    await turns();
    const payload = new Uint8Array(1_024);
    let sent = 0;
    let waits = 0;
    while (sent < 512) {
      sent++;
      const wait = rig.push.send(payload);
      if (wait === undefined) continue;
      waits++;
      expect(rig.push.stats()).toMatchObject({ waiting: 0, unacknowledged: sent });
      await wait;
    }
    expect(waits).toBe(2);
  });

  it("lets timers and other peers run in a loop of awaited sends", async () => {
    const rig = await Rig.start();
    const pull = await rig.pull();
    pull.consume(() => {});
    const due = new AbortController();
    setTimeout(() => due.abort(), 5);
    for (let i = 0; i < 1_000_000 && !due.signal.aborted; i++) await rig.push.send("");
    expect(due.signal.aborted).toBe(true);
  });

  it("waits for room in the outbox, also when the link takes everything at once", async () => {
    const rig = await Rig.start({ sendHighWaterBytes: 1 });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 100));
    await turns();
    const sends = ["1", "2", "3"].map((payload) => rig.push.send(payload));
    expect(sends[1]).toBeInstanceOf(Promise);
    for (const sending of sends) await sending;
    await pull.expect(jobHex(0, "1") + jobHex(1, "2") + jobHex(2, "3"));
  });

  it("waits while the PULL's transport is full, and goes on when it drained", async () => {
    const rig = await Rig.start({ sendHighWaterBytes: 1_000 });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 100));
    await turns();
    pull.setReading(false);
    void rig.push.send(new Uint8Array(1_000));
    const second = rig.push.send("2");
    await turns();
    expect(rig.push.stats().waiting).toBe(1);
    pull.setReading(true);
    await second;
    await waitFor(() => pull.hex.endsWith("32"), { what: "the second job arrives" });
  });
});

describe("trySend()", () => {
  it("says no when there is no PULL", async () => {
    const { push } = await Rig.start();
    expect(push.trySend("1")).toBe(false);
    expect(push.stats().waiting).toBe(0);
  });

  it("says no while a send waits", async () => {
    const rig = await Rig.start();
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await turns();
    expect(rig.push.trySend("1")).toBe(true);
    expect(rig.push.trySend("2")).toBe(false);
    const abort = new AbortController();
    void rig.push.send("3", { signal: abort.signal });
    expect(rig.push.trySend("4")).toBe(false);
    abort.abort();
    pull.write(flowHex("window", 0, 2));
    await turns();
    expect(rig.push.trySend("5")).toBe(true);
    await pull.expect(jobHex(0, "1") + jobHex(1, "5"));
  });

  it("copies when told to", async () => {
    const rig = await Rig.start();
    const pull = await rig.pull();
    const payload = new Uint8Array(32 * 1024).fill(7);
    expect(rig.push.trySend(payload, { copy: true })).toBe(true);
    payload.fill(0);
    expect((await pull.receive()).payload.every((byte) => byte === 7)).toBe(true);
  });
});

describe("PUSH without a peer yet", () => {
  it("reports what waits", async () => {
    const push = new PushSocket(new Inproc(new InprocHub()));
    void push.send("12");
    void push.send("345");
    expect(push.stats()).toMatchObject({
      peers: 0,
      waiting: 2,
      waitingBytes: 5,
      returned: 0,
      unacknowledged: 0,
      messagesSent: 0,
    });
    expect(await push.close({ lingerMs: 0 })).toEqual({ unsent: 2, unacknowledged: 0 });
  });
});
