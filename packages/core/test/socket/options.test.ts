import { inspect } from "node:util";
import { SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { PubOptions } from "../../src/socket/pub-sub/pub-options.ts";
import { resolvePubOptions } from "../../src/socket/pub-sub/pub-options.ts";
import { PubSocket } from "../../src/socket/pub-sub/pub.ts";
import { resolveRepOptions } from "../../src/socket/req-rep/rep-options.ts";
import { RepSocket } from "../../src/socket/req-rep/rep.ts";
import { resolveReqOptions } from "../../src/socket/req-rep/req-options.ts";
import { ReqSocket } from "../../src/socket/req-rep/req.ts";
import { resolveSocketOptions } from "../../src/socket/socket-options.ts";
import { resolveSubOptions } from "../../src/socket/pub-sub/sub-options.ts";
import { SubSocket } from "../../src/socket/pub-sub/sub.ts";
import { SimNetwork } from "./sim-network.ts";

/** One number among the options: its default, what is just in range, and what is just not. */
interface NumberOption {
  readonly name: string;
  readonly default: number;
  readonly good: readonly number[];
  readonly bad: readonly number[];
}

const maxDelay = 2 ** 31 - 1;
const maxSafe = Number.MAX_SAFE_INTEGER;

/** A whole number from `min` to `max`. */
function whole(name: string, byDefault: number, min: number, max: number): NumberOption {
  const bad = [min - 1, max + 1, min + 0.5, Infinity];
  return { name, default: byDefault, good: [min, max], bad };
}

/** A whole number from `min` on, or `Infinity`. */
function wholeOrInfinity(name: string, byDefault: number, min: number): NumberOption {
  const bad = [min - 1, min + 0.5, maxSafe + 1, -Infinity];
  return { name, default: byDefault, good: [min, maxSafe, Infinity], bad };
}

/** Milliseconds from `min` on, or `Infinity`. */
function delay(name: string, byDefault: number, min: number, max = maxDelay): NumberOption {
  const bad = [min - 1, max + 1, -Infinity];
  return { name, default: byDefault, good: [min, min + 0.5, max, Infinity], bad };
}

interface Suite {
  readonly name: string;
  readonly numbers: readonly NumberOption[];
  readonly resolve: (options: object) => object;
  /** Makes the socket, which must refuse the same. */
  readonly create: (options: object) => unknown;
}

function transport(): SimNetwork {
  return new SimNetwork(new SimulatedRuntime());
}

const suites: readonly Suite[] = [
  {
    name: "SocketOptions",
    numbers: [
      whole("handshakeTimeoutMs", 10_000, 1, maxDelay),
      wholeOrInfinity("maxClients", 65_536, 1),
      wholeOrInfinity("maxHandshakes", 1_024, 1),
      delay("idlePeerTimeoutMs", Infinity, 1),
      delay("frameTimeoutMs", 30_000, 1),
      whole("maxMessageBytes", 64 * 1024 * 1024, 0, 2 ** 32 - 1),
      whole("sendHighWaterBytes", 1024 * 1024, 1, maxSafe),
      whole("minCompressBytes", 1_024, 0, maxSafe),
    ],
    resolve: (options) => resolveSocketOptions(options),
    create: (options) => new ReqSocket(transport(), options),
  },
  {
    name: "ReqOptions",
    numbers: [
      delay("timeoutMs", 5_000, 0),
      whole("maxInFlight", 8_192, 1, 1_048_576),
      wholeOrInfinity("maxQueued", 8_192, 0),
      wholeOrInfinity("maxQueuedBytes", 64 * 1024 * 1024, 0),
    ],
    resolve: (options) => resolveReqOptions(options),
    create: (options) => new ReqSocket(transport(), options),
  },
  {
    name: "RepOptions",
    numbers: [
      whole("maxPending", 4_096, 1, 1_048_576),
      whole("maxPendingBytes", 16 * 1024 * 1024, 1, maxSafe),
      whole("maxUnsentReplyBytes", 64 * 1024 * 1024, 1, maxSafe),
      delay("answerTimeoutMs", 30_000, 1),
    ],
    resolve: (options) => resolveRepOptions(options),
    create: (options) => new RepSocket(transport(), options),
  },
  {
    name: "PubOptions",
    numbers: [
      whole("maxQueued", 8_192, 1, maxSafe),
      whole("maxQueuedBytes", 8 * 1024 * 1024, 1, maxSafe),
      wholeOrInfinity("maxWaiting", 8_192, 0),
      wholeOrInfinity("maxWaitingBytes", 64 * 1024 * 1024, 0),
      whole("maxSubscriptionsPerPeer", 131_072, 1, maxSafe),
      whole("maxSubscriptionBytesPerPeer", 128 * 1024 * 1024, 1, maxSafe),
      delay("heartbeatMs", 15_000, 1),
    ],
    resolve: (options) => resolvePubOptions(options),
    create: (options) => new PubSocket(transport(), options),
  },
  {
    name: "SubOptions",
    numbers: [
      whole("maxQueued", 8_192, 1, maxSafe),
      whole("maxQueuedBytes", 16 * 1024 * 1024, 1, maxSafe),
      delay("heartbeatMs", 15_000, 1, 715_827_882),
    ],
    resolve: (options) => resolveSubOptions(options),
    create: (options) => new SubSocket(transport(), options),
  },
];

function refusal(name: string): Error {
  return expect.objectContaining({
    code: "MSG_INVALID_OPTION",
    message: expect.stringMatching(new RegExp(`^${name} `)) as string,
  }) as Error;
}

/** What is put in for an option that takes no number, or something of the wrong type for one that does. */
const wrongTypes: readonly unknown[] = ["1", {}, true, 1n];

for (const { name: suite, numbers, resolve, create } of suites) {
  describe(`numbers in ${suite}`, () => {
    it("knows every option that is a number", () => {
      const resolved = Object.entries(resolve({})).filter(([, value]) => typeof value === "number");
      expect(resolved.map(([name]) => name).toSorted()).toEqual(
        numbers.map(({ name }) => name).toSorted(),
      );
    });

    for (const { name, default: byDefault, good, bad } of numbers) {
      for (const value of [...bad, Number.NaN, ...wrongTypes]) {
        it(`refuses ${name} ${inspect(value)} and names the option`, () => {
          expect(() => resolve({ [name]: value })).toThrow(refusal(name));
          expect(() => create({ [name]: value })).toThrow(refusal(name));
        });
      }

      for (const value of good) {
        it(`takes ${name} ${value}`, () => {
          expect(resolve({ [name]: value })).toMatchObject({ [name]: value });
        });
      }

      it(`takes ${name} for ${byDefault} when it is undefined or absent`, () => {
        expect(resolve({ [name]: undefined })).toMatchObject({ [name]: byDefault });
        expect(resolve({})).toMatchObject({ [name]: byDefault });
      });
    }

    it("does not change the object it is given", () => {
      const options = Object.freeze({});
      resolve(options);
      expect(options).toEqual({});
    });
  });
}

describe("options that are true or false", () => {
  for (const [name, resolve] of [
    ["failFast", resolveReqOptions],
    ["retry", resolveReqOptions],
    ["answerPing", resolveRepOptions],
  ] as const) {
    for (const value of [Number.NaN, 0, 1, "true", {}]) {
      it(`refuses ${name} ${inspect(value)}`, () => {
        expect(() => resolve({ [name]: value })).toThrow(refusal(name));
      });
    }
    it(`takes ${name} true, false, and undefined for false`, () => {
      for (const value of [true, false, undefined]) {
        expect(resolve({ [name]: value })).toMatchObject({ [name]: value ?? false });
      }
    });
  }
});

describe("whenSlow", () => {
  for (const whenSlow of ["", "drop", "Wait", Number.NaN, true] as unknown[]) {
    it(`refuses ${JSON.stringify(whenSlow)}`, () => {
      expect(() => resolvePubOptions({ whenSlow } as PubOptions)).toThrow(refusal("whenSlow"));
    });
  }
  for (const whenSlow of ["drop-newest", "drop-oldest", "disconnect", "wait"] as const) {
    it(`takes ${whenSlow}`, () =>
      expect(resolvePubOptions({ whenSlow })).toMatchObject({ whenSlow }));
  }
  it("is drop-newest by default", () => {
    expect(resolvePubOptions({ whenSlow: undefined }).whenSlow).toBe("drop-newest");
  });
});

const decompressor = { id: 5, name: "mine", decompress: (bytes: Uint8Array) => bytes };
const compressor = { ...decompressor, compress: (bytes: Uint8Array) => bytes };
const authenticator = (): boolean => true;
const hook = async (): Promise<void> => {};

describe("options of all sockets that are no numbers", () => {
  const resolve: (options: object) => object = resolveSocketOptions;

  const bad: readonly [name: string, value: unknown][] = [
    ["name", Number.NaN],
    ["name", "x".repeat(256)],
    ["name", "é".repeat(128)],
    ["authToken", Number.NaN],
    ["authToken", {}],
    ["authToken", "x".repeat(1_025)],
    ["authToken", new Uint8Array(1_025)],
    ["authenticator", Number.NaN],
    ["authenticator", "secret"],
    ["hook", Number.NaN],
    ["hook", {}],
    ["compressor", Number.NaN],
    ["compressor", "gzip"],
    ["compressor", { ...compressor, id: 0 }],
    ["compressor", { ...compressor, id: 7 }],
    ["compressor", { ...compressor, compress: undefined }],
    ["compressor", { ...compressor, decompress: undefined }],
    ["decompressors", Number.NaN],
    ["decompressors", decompressor],
    ["decompressors", [undefined]],
    ["decompressors", [{ ...decompressor, id: 0 }]],
    ["decompressors", [{ ...decompressor, id: 7 }]],
    ["decompressors", [{ ...decompressor, decompress: undefined }]],
    ["decompressors", [decompressor, decompressor]],
    ["reconnect", Number.NaN],
    ["reconnect", "never"],
    ["protocol", Number.NaN],
    ["protocol", "msg"],
    ["logger", Number.NaN],
    ["logger", { debug: () => {} }],
    ["runtime", Number.NaN],
    ["runtime", { now: () => 0 }],
  ];
  for (const [name, value] of bad) {
    const shown = typeof value === "string" ? `of ${value.length} characters` : typeof value;
    it(`refuses ${name} (${shown}) and names the option: ${inspect(value).slice(0, 40)}`, () => {
      expect(() => resolve({ [name]: value })).toThrow(
        expect.objectContaining({
          code: "MSG_INVALID_OPTION",
          message: expect.stringContaining(name) as string,
        }) as Error,
      );
    });
  }

  const good: readonly [name: string, value: unknown][] = [
    ["name", ""],
    ["name", "x".repeat(255)],
    ["authToken", ""],
    ["authToken", "x".repeat(1_024)],
    ["authToken", new Uint8Array(1_024)],
    ["authToken", () => "token"],
    ["authenticator", authenticator],
    ["hook", hook],
    ["compressor", { ...compressor, id: 1 }],
    ["compressor", { ...compressor, id: 6 }],
    ["decompressors", []],
    ["decompressors", [decompressor, { ...decompressor, id: 6 }]],
    ["logger", { debug: () => {}, warn: () => {} }],
  ];
  for (const [name, value] of good) {
    it(`takes ${name} ${inspect(value).slice(0, 40)}`, () => {
      expect(resolve({ [name]: value })).toMatchObject({ [name]: value });
    });
  }

  it("takes undefined for every one of them", () => {
    const names = new Set([...bad, ...good].map(([name]) => name));
    const options = Object.fromEntries([...names].map((name) => [name, undefined]));
    expect(resolve(options)).toEqual(resolve({}));
  });

  for (const other of ["authToken", "authenticator"]) {
    it(`refuses a hook together with ${other}`, () => {
      const value = other === "authToken" ? "token" : authenticator;
      expect(() => resolve({ hook, [other]: value })).toThrow(refusal("hook"));
    });
  }
});
