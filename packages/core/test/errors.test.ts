import { describe, expect, it } from "vitest";
import { errorCodes, MsgError } from "../src/errors.ts";

describe("an error", () => {
  it("has a code, a message and a cause", () => {
    const cause = new Error("below");
    const error = new MsgError("MSG_CLOSED", "socket is closed", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "MsgError",
      code: "MSG_CLOSED",
      message: "socket is closed",
      cause,
    });
    expect(String(error)).toBe("MsgError: socket is closed");
  });

  it("has a remote code only when it is given", () => {
    const remote = new MsgError("MSG_REMOTE", "no", { remoteCode: "NOT_FOUND" });
    expect(remote.remoteCode).toBe("NOT_FOUND");
    expect(new MsgError("MSG_CLOSED", "closed").remoteCode).toBeUndefined();
  });

  it("is known by its code, also when another copy of the package made it", () => {
    const foreign = Object.assign(new Error("x"), { name: "MsgError", code: "MSG_CLOSED" });
    for (const error of [foreign, new MsgError("MSG_CLOSED", "x")]) {
      expect(MsgError.is(error)).toBe(true);
      expect(MsgError.is(error, "MSG_CLOSED")).toBe(true);
      expect(MsgError.is(error, "MSG_REMOTE")).toBe(false);
    }
  });

  it("is not what only looks a little like it", () => {
    const others = [new Error("x"), { name: "MsgError", code: "MSG_CLOSED" }, "MSG_CLOSED", null];
    for (const other of others) expect(MsgError.is(other)).toBe(false);
    expect(MsgError.is(Object.assign(new Error("x"), { name: "MsgError" }))).toBe(false);
  });

  it("is wrapped once: ours stays, another becomes the cause", () => {
    const ours = new MsgError("MSG_CLOSED", "closed");
    expect(MsgError.from(ours, "MSG_PROTOCOL", "other")).toBe(ours);
    for (const cause of [new Error("x"), "x", undefined]) {
      const wrapped = MsgError.from(cause, "MSG_PROTOCOL", "other");
      expect(wrapped).toMatchObject({ code: "MSG_PROTOCOL", message: "other" });
      expect(wrapped.cause).toBe(cause);
    }
  });
});

describe("the table of codes", () => {
  it("has a sentence or more for each, which says what to do", () => {
    for (const [code, text] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^MSG_[A-Z_]+$/);
      expect(text).toMatch(/^[A-Z].*\.$/);
    }
  });
});
