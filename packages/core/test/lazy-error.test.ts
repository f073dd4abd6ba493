import { describe, expect, it } from "vitest";
import { MsgError } from "../src/index.ts";
import { lazyError } from "../src/lazy-error.ts";

describe("lazyError", () => {
  it("makes its error when it is asked for, and once", () => {
    let made = 0;
    const error = lazyError(() => new MsgError("MSG_CLOSED", `number ${++made}`));
    expect(made).toBe(0);
    expect(error()).toBe(error());
    expect(made).toBe(1);
  });
});
