import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import { pushDefaults, resolvePushOptions } from "../../../src/socket/push-pull/push-options.ts";
import { PushSocket } from "../../../src/socket/push-pull/push.ts";

const maxDelayMs = 2 ** 31 - 1;
const noHighest = Infinity;

/** Name, default, lowest, highest. */
const numbers = [
  ["maxUnacked", 65_535, 1, 65_535],
  ["maxUnackedBytes", 67_108_864, 1, noHighest],
  ["maxWaiting", 8_192, 1, noHighest],
  ["maxWaitingBytes", 67_108_864, 1, noHighest],
  ["maxDeliveries", 16, 1, noHighest],
  ["redeliveryDelayMs", 100, 1, maxDelayMs],
  ["maxRedeliveryDelayMs", 5_000, 100, maxDelayMs],
] as const;

/** The error that refuses the options, if one does. */
function refusal(options: object): unknown {
  try {
    return resolvePushOptions(options);
  } catch (error) {
    return error;
  }
}

/** The error that names an option. */
function naming(name: string): object {
  const message = expect.stringMatching(new RegExp(`^${name} is `)) as string;
  return { code: "MSG_INVALID_OPTION", message };
}

describe.each(numbers)("PUSH option %s", (name, byDefault, lowest, highest) => {
  it("refuses one below the lowest", () =>
    expect(refusal({ [name]: lowest - 1 })).toMatchObject(naming(name)));

  it("refuses one above the highest", () => {
    // Where Infinity is legal, the highest number is the last safe integer.
    const above = highest === noHighest ? Number.MAX_SAFE_INTEGER + 1 : highest + 1;
    expect(refusal({ [name]: above })).toMatchObject(naming(name));
  });

  it("refuses NaN", () => expect(refusal({ [name]: Number.NaN })).toMatchObject(naming(name)));

  it("refuses a string", () => expect(refusal({ [name]: "7" })).toMatchObject(naming(name)));

  it("takes the lowest", () => {
    expect(resolvePushOptions({ [name]: lowest })[name]).toBe(lowest);
  });

  it("takes the highest", () => {
    expect(resolvePushOptions({ [name]: highest })[name]).toBe(highest);
  });

  it("is its default when absent or undefined", () => {
    expect(resolvePushOptions({})[name]).toBe(byDefault);
    expect(resolvePushOptions({ [name]: undefined })[name]).toBe(byDefault);
  });
});

describe("PUSH option delivery", () => {
  it.each(["exactly-once", "", 1, true, Number.NaN])("refuses %j", (delivery) =>
    expect(refusal({ delivery })).toMatchObject(naming("delivery")),
  );

  it.each(["at-least-once", "at-most-once"] as const)("takes %s", (delivery) => {
    expect(resolvePushOptions({ delivery }).delivery).toBe(delivery);
  });

  it("is at-least-once when absent or undefined", () => {
    expect(resolvePushOptions({}).delivery).toBe("at-least-once");
    expect(resolvePushOptions({ delivery: undefined }).delivery).toBe("at-least-once");
  });
});

describe("PUSH options", () => {
  it("refuse a maxRedeliveryDelayMs under redeliveryDelayMs", () =>
    expect(refusal({ redeliveryDelayMs: 200, maxRedeliveryDelayMs: 199 })).toMatchObject(
      naming("maxRedeliveryDelayMs"),
    ));

  it("raise maxRedeliveryDelayMs with redeliveryDelayMs by default", () => {
    expect(resolvePushOptions({ redeliveryDelayMs: 9_000 }).maxRedeliveryDelayMs).toBe(9_000);
  });

  it("are refused by the constructor", () => {
    expect(() => new PushSocket(new Inproc(new InprocHub()), { maxUnacked: 0 })).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
    );
  });

  it("are all covered here", () => {
    const covered = ["delivery", ...numbers.map(([name]) => name)];
    expect(Object.keys(pushDefaults).toSorted()).toEqual(covered.toSorted());
  });

  it("are left as the caller gave them", () => {
    const options = Object.freeze({ maxWaiting: 3 });
    expect(resolvePushOptions(options).maxWaiting).toBe(3);
    expect(options).toEqual({ maxWaiting: 3 });
  });
});
