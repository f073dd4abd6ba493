import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import { pullDefaults, resolvePullOptions } from "../../../src/socket/push-pull/pull-options.ts";
import { PullSocket } from "../../../src/socket/push-pull/pull.ts";

/** Name, default, lowest, highest. */
const numbers = [
  ["window", "auto", 1, 65_535],
  ["maxQueuedBytes", 16_777_216, 1, Number.MAX_SAFE_INTEGER],
] as const;

/** The error that refuses the options, if one does. */
function refusal(options: object): unknown {
  try {
    return resolvePullOptions(options);
  } catch (error) {
    return error;
  }
}

/** The error that names an option. */
function naming(name: string): object {
  const message = expect.stringMatching(new RegExp(`^${name} is `)) as string;
  return { code: "MSG_INVALID_OPTION", message };
}

describe.each(numbers)("PULL option %s", (name, byDefault, lowest, highest) => {
  it("refuses one below the lowest", () =>
    expect(refusal({ [name]: lowest - 1 })).toMatchObject(naming(name)));

  it("refuses one above the highest", () =>
    expect(refusal({ [name]: highest + 1 })).toMatchObject(naming(name)));

  it("refuses NaN", () => expect(refusal({ [name]: Number.NaN })).toMatchObject(naming(name)));

  it("refuses Infinity", () => expect(refusal({ [name]: Infinity })).toMatchObject(naming(name)));

  it("refuses a string", () => expect(refusal({ [name]: "7" })).toMatchObject(naming(name)));

  it("takes the lowest", () => {
    expect(resolvePullOptions({ [name]: lowest })[name]).toBe(lowest);
  });

  it("takes the highest", () => {
    expect(resolvePullOptions({ [name]: highest })[name]).toBe(highest);
  });

  it("is its default when absent or undefined", () => {
    expect(resolvePullOptions({})[name]).toBe(byDefault);
    expect(resolvePullOptions({ [name]: undefined })[name]).toBe(byDefault);
  });
});

describe("PULL option delivery", () => {
  it.each(["exactly-once", "", 1, true, Number.NaN])("refuses %j", (delivery) =>
    expect(refusal({ delivery })).toMatchObject(naming("delivery")),
  );

  it.each(["at-least-once", "at-most-once"] as const)("takes %s", (delivery) => {
    expect(resolvePullOptions({ delivery }).delivery).toBe(delivery);
  });

  it("is at-least-once when absent or undefined", () => {
    expect(resolvePullOptions({}).delivery).toBe("at-least-once");
    expect(resolvePullOptions({ delivery: undefined }).delivery).toBe("at-least-once");
  });
});

describe("PULL options", () => {
  it("are refused by the constructor", () => {
    expect(() => new PullSocket(new Inproc(new InprocHub()), { window: 0 })).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
    );
  });

  it("are all covered here", () => {
    const covered = ["delivery", ...numbers.map(([name]) => name)];
    expect(Object.keys(pullDefaults).toSorted()).toEqual(covered.toSorted());
  });
});
