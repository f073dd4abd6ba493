import type { FaultMix } from "@msg-ts/testing";

/** One thing that happens. The numbers mean what the operation takes them for. */
export interface Step {
  readonly op: string;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** An operation and how often it is drawn. */
export type Weights = readonly (readonly [op: string, weight: number])[];

/** What happens on every network. */
export const networkSteps: Weights = [
  ["pass", 14],
  ["cut", 2],
  ["flap", 2],
  ["hold", 2],
  ["release", 2],
  ["dark", 0.6],
  ["kill", 1.2],
  ["close", 1],
  ["drain", 0.7],
  ["restart", 3],
  ["disconnect", 0.7],
  ["reconnect", 1],
  ["rebind", 0.4],
  ["ready", 0.6],
];

/** Steps that break something. */
export const breaking: ReadonlySet<string> = new Set([
  "cut",
  "flap",
  "hold",
  "dark",
  "kill",
  "close",
  "drain",
  "disconnect",
  "rebind",
]);

const gentle: FaultMix = {
  delay: 0.4,
  shortPieces: 0.3,
  extraTurns: 0.4,
  smallCapacity: 0.3,
  slowDrain: 0.3,
  lateClose: 0.2,
  slowDial: 0.2,
};

/** From a network that is only slow to one in which nothing can be relied on. */
export const mixes: readonly FaultMix[] = [
  {},
  gentle,
  { ...gentle, reset: 0.15, end: 0.05, hold: 0.05, dialFails: 0.2, doubleClose: 0.1 },
  {
    ...gentle,
    reset: 0.3,
    end: 0.15,
    hold: 0.1,
    drop: 0.1,
    maxAfterBytes: 500,
    dialFails: 0.3,
    dialHangs: 0.05,
    doubleClose: 0.2,
  },
];

/** A schedule of 10 to 69 steps. */
export function drawSteps(all: Weights, random: () => number): Step[] {
  const total = all.reduce((sum, [, weight]) => sum + weight, 0);
  const count = 10 + Math.floor(random() * 60);
  const number = (): number => Math.floor(random() * 2 ** 30);
  return Array.from({ length: count }, () => {
    let left = random() * total;
    const found = all.find(([, weight]) => (left -= weight) < 0);
    return { op: found?.[0] ?? "pass", a: number(), b: number(), c: number() };
  });
}
