import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

describe("waitFor", () => {
  it("looks at once, and again until the condition is true", async () => {
    let looks = 0;
    await waitFor(() => ++looks === 1, { what: "the first look" });
    expect(looks).toBe(1);
    await waitFor(() => ++looks === 10, { what: "the tenth look" });
    expect(looks).toBe(10);
  });

  it("sees what a timer does", async () => {
    let isDone = false;
    setTimeout(() => {
      isDone = true;
    }, 10);
    await waitFor(() => isDone, { what: "the timer ran" });
    expect(isDone).toBe(true);
  });

  it("rejects after withinMs, naming what it waited for and how long", async () => {
    const startMs = performance.now();
    await expect(waitFor(() => false, { what: "the moon is green", withinMs: 30 })).rejects.toThrow(
      "waited 30 ms for: the moon is green",
    );
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
  });

  it("rejects with what the condition throws", async () => {
    const wrong = new Error("wrong");
    const condition = (): boolean => {
      throw wrong;
    };
    await expect(waitFor(condition, { what: "anything" })).rejects.toBe(wrong);
  });
});
