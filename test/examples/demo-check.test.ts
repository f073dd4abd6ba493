import { describe, expect, it } from "vitest";
import type { Counts } from "../../examples/demo/check.ts";
import { check, isRight, matches } from "../../examples/demo/check.ts";
import type { JobResult } from "../../examples/demo/jobs.ts";

const plain = [
  { sha256: "aa", gzipBytes: 10 },
  { sha256: "bb", gzipBytes: 20 },
  { sha256: "cc", gzipBytes: 30 },
];

function resultOf(id: number, changes: Partial<JobResult> = {}): JobResult {
  const found = plain[id] ?? { sha256: "??", gzipBytes: 0 };
  return { id, path: `file ${id}`, worker: "worker 1", deliveryCount: 1, ...found, ...changes };
}

const pipeline = { sent: 3, redelivered: 0, seconds: 1, unsent: 0, unacknowledged: 0 };
const roundTrip = { count: 8, p50Ms: 1, p99Ms: 1, maxMs: 1 };
const subscriber = {
  pattern: "metrics.cpu.*",
  received: { "metrics.cpu.load1": 4, "metrics.cpu.busy": 5 },
  lost: 1,
  uncountedGaps: 0,
  disordered: 0,
  unreadable: 0,
};

/** A run in which everything is right. */
const right: Counts = {
  plain,
  results: [resultOf(0), resultOf(1), resultOf(2)],
  pipeline,
  workers: new Map([["worker 1", { done: 3, unacknowledged: 0 }]]),
  killed: "worker 3",
  publisher: {
    published: { "metrics.cpu.load1": 5, "metrics.cpu.busy": 5, "metrics.memory.free": 5 },
  },
  subscribers: [subscriber],
  questions: { asked: 8, answered: 8, wrong: 0, roundTrip },
  service: { answered: 8 },
  exits: [
    { name: "worker 1", code: 0, signal: null },
    { name: "worker 3", code: null, signal: "SIGKILL" },
  ],
};

function wrongIn(changes: Partial<Counts>): string[] {
  const findings = check({ ...right, ...changes });
  return findings.filter((finding) => !isRight(finding)).map(({ what }) => what);
}

describe("the check of a run", () => {
  it("finds nothing wrong where all is right", () => {
    expect(wrongIn({})).toEqual([]);
  });

  it("takes a result that came twice when its job was delivered again", () => {
    const again = resultOf(1, { deliveryCount: 2 });
    const changes = {
      results: [...right.results, again],
      pipeline: { ...pipeline, redelivered: 1 },
      workers: new Map([["worker 1", { done: 4, unacknowledged: 0 }]]),
    };
    expect(wrongIn(changes)).toEqual([]);
  });

  it("takes a job that was done at the second delivery only", () => {
    const results = [resultOf(0), resultOf(1), resultOf(2, { deliveryCount: 2 })];
    expect(wrongIn({ results, pipeline: { ...pipeline, redelivered: 1 } })).toEqual([]);
  });

  const cases: readonly (readonly [fact: string, changes: Partial<Counts>, wrong: string[]])[] = [
    [
      "a file without a result",
      { results: [resultOf(0), resultOf(2)] },
      ["files with a result", "results of worker 1"],
    ],
    [
      "a file twice and another one missing",
      { results: [resultOf(0), resultOf(2), resultOf(2)] },
      ["files with a result", "results that came twice without that"],
    ],
    [
      "a result that came twice though no job was delivered again",
      { results: [...right.results, resultOf(1)] },
      ["results that came twice without that", "results of worker 1"],
    ],
    [
      "a wrong hash",
      { results: [resultOf(0), resultOf(1, { sha256: "xx" }), resultOf(2)] },
      ["results unlike those of one process"],
    ],
    [
      "a wrong size",
      { results: [resultOf(0), resultOf(1, { gzipBytes: 21 }), resultOf(2)] },
      ["results unlike those of one process"],
    ],
    [
      "a wrong hash in the second result of a file",
      {
        results: [...right.results, resultOf(1, { sha256: "xx", deliveryCount: 2 })],
        pipeline: { ...pipeline, redelivered: 1 },
      },
      ["results unlike those of one process", "results of worker 1"],
    ],
    [
      "a result of no file",
      { results: [resultOf(0), resultOf(1), resultOf(2), resultOf(3)] },
      ["results of no file", "results of worker 1"],
    ],
    ["a job that was not sent", { pipeline: { ...pipeline, sent: 2 } }, ["jobs sent"]],
    [
      "a delivery that no result knows of",
      { pipeline: { ...pipeline, redelivered: 1 } },
      ["jobs delivered again"],
    ],
    ["a job left over", { pipeline: { ...pipeline, unacknowledged: 1 } }, ["jobs left at the end"]],
    [
      "a worker that says it did more than came",
      { workers: new Map([["worker 1", { done: 4, unacknowledged: 1 }]]) },
      ["results of worker 1", "results of worker 1 left at its end"],
    ],
    [
      "a message neither received nor known to be lost",
      { subscribers: [{ ...subscriber, lost: 0 }] },
      ["metrics.cpu.*: received and lost"],
    ],
    [
      "a message received twice, which hides a loss",
      { subscribers: [{ ...subscriber, received: { "metrics.cpu.load1": 10 }, lost: 0 }] },
      ["metrics.cpu.*: topics with too much"],
    ],
    [
      "a topic that was not subscribed to",
      { subscribers: [{ ...subscriber, received: { "metrics.memory.free": 5 }, lost: 5 }] },
      ["metrics.cpu.*: topics with too much"],
    ],
    [
      "disorder, unreadable messages and gaps nobody can count",
      { subscribers: [{ ...subscriber, disordered: 1, unreadable: 1, uncountedGaps: 1 }] },
      [
        "metrics.cpu.*: out of order",
        "metrics.cpu.*: unreadable",
        "metrics.cpu.*: gaps nobody can count",
      ],
    ],
    [
      "a question without an answer",
      { questions: { asked: 8, answered: 7, wrong: 0, roundTrip } },
      ["questions answered"],
    ],
    [
      "a wrong answer",
      { questions: { asked: 8, answered: 8, wrong: 1, roundTrip } },
      ["answers that were wrong"],
    ],
    ["an answer nobody got", { service: { answered: 9 } }, ["answers given by the service"]],
    [
      "a worker that outlived its kill",
      { exits: [{ name: "worker 3", code: 0, signal: null }] },
      ["end of worker 3"],
    ],
    [
      "a child that crashed",
      { exits: [{ name: "service", code: 1, signal: null }] },
      ["end of service"],
    ],
    [
      "a child that had to be killed",
      { exits: [{ name: "service", code: null, signal: "SIGKILL" }] },
      ["end of service"],
    ],
  ];
  for (const [fact, changes, wrong] of cases) {
    it(`finds ${fact}`, () => {
      expect(wrongIn(changes)).toEqual(wrong);
    });
  }
});

describe("the pattern of a subscription", () => {
  for (const [pattern, topic, expected] of [
    ["a.b", "a.b", true],
    ["a.b", "a.c", false],
    ["a.*", "a.b", true],
    ["a.*", "a.b.c", false],
    ["a.*", "a", false],
    ["*.b", "a.b", true],
    ["a.>", "a.b", true],
    ["a.>", "a.b.c", true],
    ["a.>", "a", false],
    ["a.*.>", "a.b.c", true],
    ["a.*.>", "a.b", false],
    [">", "a", true],
  ] as const) {
    it(`${pattern} ${expected ? "takes" : "leaves"} ${topic}`, () => {
      expect(matches(pattern, topic)).toBe(expected);
    });
  }
});
