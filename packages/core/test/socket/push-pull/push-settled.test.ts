import { describe, expect, it } from "vitest";
import type { Runtime } from "../../../src/runtime.ts";
import { hostRuntime } from "../../../src/runtime.ts";
import { flowHex, jobHex, rejection, Rig, turns } from "./push-pull-rig.ts";

/** The host's clock, and which timers of a minute are set: others of the process do not count. */
function minuteTimers(): { readonly runtime: Runtime; readonly set: Set<unknown> } {
  const set = new Set<unknown>();
  const runtime: Runtime = {
    ...hostRuntime,
    setTimer: (callback, delayMs) => {
      const timer = hostRuntime.setTimer(callback, delayMs);
      if (delayMs === 60_000) set.add(timer);
      return timer;
    },
    clearTimer: (timer) => {
      set.delete(timer);
      hostRuntime.clearTimer(timer);
    },
  };
  return { runtime, set };
}

describe("PUSH settled()", () => {
  it("resolves at once when nothing was sent", async () => {
    const { push } = await Rig.start();
    expect(await push.settled()).toBe(undefined);
  });

  it("resolves when the last job is acknowledged, those that waited too", async () => {
    const rig = await Rig.start();
    void rig.push.send("0");
    void rig.push.send("1");
    let isSettled = false;
    const settled = rig.push.settled().then(() => {
      isSettled = true;
    });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await pull.expect(jobHex(0, "0"));
    pull.write(flowHex("ack", 0, 1));
    await pull.expect(jobHex(1, "1"));
    await turns();
    expect(isSettled).toBe(false);
    pull.write(flowHex("ack", 1, 1));
    await settled;
    expect(rig.push.stats()).toMatchObject({ acknowledged: 2, unacknowledged: 0, waiting: 0 });
  });

  it("resolves when the last job is given up after maxDeliveries", async () => {
    const rig = await Rig.start({ maxDeliveries: 1 });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await turns();
    void rig.push.send("0");
    const settled = rig.push.settled();
    await pull.expect(jobHex(0, "0"));
    pull.write(flowHex("nack", 0, 1));
    await settled;
    expect(rig.push.stats().dropped).toEqual({ undeliverable: 1 });
  });

  it("rejects at its deadline with what is left, by its signal, and at close", async () => {
    const { push } = await Rig.start();
    void push.send("0");
    const reason = new Error("enough");
    expect(await rejection(push.settled({ timeoutMs: 1 }))).toMatchObject({
      code: "MSG_TIMEOUT",
      message: "1 jobs wait and 0 are at a PULL after 1 ms",
    });
    expect(await rejection(push.settled({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    const waiting = push.settled();
    await push.close({ lingerMs: 0 });
    expect(await rejection(waiting)).toMatchObject({ code: "MSG_CLOSED" });
    expect(() => push.settled()).toThrow(expect.objectContaining({ code: "MSG_CLOSED" }));
  });
});

describe("PUSH send() with timeoutMs", () => {
  it("rejects when no PULL took the job in time, and takes it out", async () => {
    const { push } = await Rig.start();
    const error = await rejection(push.send("0", { timeoutMs: 1 }));
    expect(error).toMatchObject({
      code: "MSG_TIMEOUT",
      message: "no PULL took the job within 1 ms",
    });
    expect(push.stats()).toMatchObject({ waiting: 0, waitingBytes: 0 });
  });

  it("resolves when one took it, and leaves no timer behind", async () => {
    const { runtime, set } = minuteTimers();
    const rig = await Rig.start({ runtime });
    const sent = rig.push.send("0", { timeoutMs: 60_000 });
    expect(set.size).toBe(1);
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 1));
    await sent;
    await pull.expect(jobHex(0, "0"));
    expect(set.size).toBe(0);
  });

  it.each([-1, Number.NaN, 2 ** 31])(
    "refuses timeoutMs %s, and sends nothing",
    async (timeoutMs) => {
      const { push } = await Rig.start();
      expect(() => push.send("0", { timeoutMs })).toThrow(
        expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
      );
      expect(push.stats().waiting).toBe(0);
    },
  );
});
