import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { EventHub } from "../../src/socket/event-hub.ts";

interface Events {
  readonly tick: number;
  readonly tock: string;
}

/** Takes the place of those who end the process for an uncaught error. */
function catchUncaught(): unknown[] {
  const caught: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => void caught.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  });
  return caught;
}

describe("EventHub", () => {
  it("refuses a listener that is no function, naming the event", () => {
    const hub = new EventHub<Events>();
    expect(() => hub.on("tick", undefined as never)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_ARGUMENT",
        message: 'listener of "tick" is not a function',
      }),
    );
  });

  it("calls listeners of that name only, in the order they were added", () => {
    const hub = new EventHub<Events>();
    const seen: string[] = [];
    hub.on("tick", (value) => void seen.push(`a${value}`));
    hub.on("tick", (value) => void seen.push(`b${value}`));
    hub.on("tock", (value) => void seen.push(value));
    hub.emit("tick", 1);
    expect(seen).toEqual(["a1", "b1"]);
  });

  it("calls a listener that was added twice twice, and takes one away at a time", () => {
    const hub = new EventHub<Events>();
    let calls = 0;
    const listener = (): void => void calls++;
    hub.on("tick", listener);
    hub.on("tick", listener);
    hub.emit("tick", 1);
    hub.off("tick", listener);
    hub.emit("tick", 1);
    expect(calls).toBe(3);
  });

  it("ignores that a listener is taken away which is not there", () => {
    const hub = new EventHub<Events>();
    hub.off("tick", () => {});
    expect(hub.has("tick")).toBe(false);
  });

  it("lets a listener take itself and others away while it is called", () => {
    const hub = new EventHub<Events>();
    const seen: string[] = [];
    const offs = ["a", "b"].map((name) =>
      hub.on("tick", () => {
        seen.push(name);
        for (const off of offs) off();
      }),
    );
    hub.emit("tick", 1);
    hub.emit("tick", 1);
    expect(seen).toEqual(["a", "b"]);
  });

  it("does not call a listener for the event during which it was added", () => {
    const hub = new EventHub<Events>();
    let calls = 0;
    hub.on("tick", () => hub.on("tick", () => void calls++));
    hub.emit("tick", 1);
    expect(calls).toBe(0);
  });

  it("calls the others when a listener throws, and throws its error outside", async () => {
    const caught = catchUncaught();
    const hub = new EventHub<Events>();
    const error = new Error("listener failed");
    let calls = 0;
    hub.on("tick", () => {
      throw error;
    });
    hub.on("tick", () => void calls++);
    hub.emit("tick", 1);
    expect(calls).toBe(1);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(caught).toEqual([error]);
  });
});
