import { getEventListeners } from "node:events";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { listenToAbort, unlistenToAbort } from "../../src/socket/abort-listeners.ts";
import { Outcome, Scene } from "./scene.ts";

describe("listening to a signal", () => {
  it("calls back everybody once, in the order they began, and leaves nothing", () => {
    const abort = new AbortController();
    const seen: string[] = [];
    for (const name of ["a", "b", "c"]) listenToAbort(abort.signal, () => void seen.push(name));
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1);
    abort.abort();
    expect(seen).toEqual(["a", "b", "c"]);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });

  it("does not call back who left, also when another one had it leave", () => {
    const abort = new AbortController();
    const seen: string[] = [];
    const second = (): void => void seen.push("second");
    const third = (): void => void seen.push("third");
    listenToAbort(abort.signal, () => unlistenToAbort(abort.signal, second));
    listenToAbort(abort.signal, second);
    listenToAbort(abort.signal, third);
    abort.abort();
    expect(seen).toEqual(["third"]);
  });

  it("leaves no listener when the last one left, and may begin again", () => {
    const abort = new AbortController();
    let calls = 0;
    const callback = (): void => void calls++;
    listenToAbort(abort.signal, callback);
    unlistenToAbort(abort.signal, callback);
    unlistenToAbort(abort.signal, callback);
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
    listenToAbort(abort.signal, callback);
    abort.abort();
    expect(calls).toBe(1);
  });

  it("makes a thousand requests with one signal cost one listener, and warns of no leak", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    const scene = new Scene();
    const req = scene.req();
    const abort = new AbortController();
    const { signal } = abort;
    const outcomes = Array.from({ length: 1_000 }, () => new Outcome(req.request("a", { signal })));
    void req.ready({ signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    abort.abort(new Error("no more"));
    await scene.settle();
    process.off("warning", onWarning);
    expect(outcomes.every(({ error }) => String(error) === "Error: no more")).toBe(true);
    expect(warnings).toEqual([]);
    expect(req.stats()).toMatchObject({ pending: 0, queued: 0 });
  });
});
