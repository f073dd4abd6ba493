import { describe, expect, it } from "vitest";
import {
  checkBoolean,
  checkChoice,
  checkDelay,
  checkFunction,
  checkInteger,
  checkIntegerOrInfinity,
  checkNumber,
} from "../src/option-checks.ts";

function refusal(message: string) {
  return expect.objectContaining({ code: "MSG_INVALID_OPTION", message });
}

/** No number at all, given where one is wanted. */
const notNumbers = [Number.NaN, "5", null, undefined, {}, true] as readonly unknown[];

describe("a number", () => {
  it("is taken from its lowest to its highest", () => {
    for (const value of [1, 1.5, 10]) expect(() => checkNumber("x", value, 1, 10)).not.toThrow();
  });

  it.each([0.999, 10.001, -Infinity, Infinity, ...notNumbers])("is not %s", (value) => {
    expect(() => checkNumber("x", value as number, 1, 10)).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
    );
  });

  it("is refused with its name, its value and its limits", () => {
    expect(() => checkNumber("reconnect.minDelayMs", 0, 1, 10)).toThrow(
      refusal("reconnect.minDelayMs is 0, must be 1 to 10"),
    );
    expect(() => checkNumber("x", "5" as unknown as number, 1, 10)).toThrow(
      refusal('x is "5", must be 1 to 10'),
    );
    expect(() => checkNumber("x", [] as unknown as number, 1, 10)).toThrow(
      refusal("x is Array, must be 1 to 10"),
    );
  });
});

describe("a whole number", () => {
  it("is taken from its lowest to its highest", () => {
    for (const value of [-1, 0, 10]) expect(() => checkInteger("x", value, -1, 10)).not.toThrow();
  });

  it.each([-2, 11, 1.5, Infinity, ...notNumbers])("is not %s", (value) => {
    expect(() => checkInteger("x", value as number, -1, 10)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_OPTION",
        message: expect.stringMatching(/^x is .*, must be a whole number, -1 to 10$/),
      }),
    );
  });

  it("may be Infinity where there need be no bound", () => {
    expect(() => checkIntegerOrInfinity("x", Infinity, 1)).not.toThrow();
    expect(() => checkIntegerOrInfinity("x", 1, 1)).not.toThrow();
    for (const value of [0, 1.5, -Infinity, Number.NaN, 2 ** 53]) {
      expect(() => checkIntegerOrInfinity("x", value, 1)).toThrow("x is");
    }
  });
});

describe("a delay", () => {
  it("is taken up to 2^31-1 ms, or as Infinity for never", () => {
    for (const value of [0, 0.5, 2 ** 31 - 1, Infinity]) {
      expect(() => checkDelay("x", value)).not.toThrow();
    }
    expect(() => checkDelay("x", 1, 1)).not.toThrow();
  });

  it.each([-1, 2 ** 31, -Infinity, ...notNumbers])("is not %s", (value) => {
    expect(() => checkDelay("x", value as number)).toThrow("x is");
  });

  it("may have a lowest value", () => {
    expect(() => checkDelay("x", 0, 1)).toThrow("x is 0, must be 1 to 2147483647");
  });
});

describe("a choice", () => {
  it("is one of those that there are", () => {
    expect(() => checkChoice("x", "b", ["a", "b"])).not.toThrow();
    expect(() => checkChoice("x", "c", ["a", "b"])).toThrow(refusal('x is "c", must be "a", "b"'));
  });

  it("is shown cut when it is long", () => {
    expect(() => checkChoice("x", "c".repeat(1000), ["a"])).toThrow(
      refusal(`x is "${"c".repeat(40)}", must be "a"`),
    );
  });
});

describe("a function or a boolean", () => {
  it("is what its name says; a function may be absent", () => {
    expect(() => checkFunction("x", () => {})).not.toThrow();
    expect(() => checkFunction("x", undefined)).not.toThrow();
    expect(() => checkFunction("x", null)).toThrow(refusal("x is null, must be a function"));
    expect(() => checkBoolean("x", false)).not.toThrow();
    for (const value of [0, "true", undefined, null]) {
      expect(() => checkBoolean("x", value)).toThrow("must be true or false");
    }
  });
});
