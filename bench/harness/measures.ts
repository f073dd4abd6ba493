/** What the numbers of a round are, and which way is better. */
export interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
}

const lower = "lower";

/** Every measure by name. The first that a row has is its headline. */
export const measures: Readonly<Record<string, Measure>> = {
  perSecond: { title: "per second", unit: "/s", better: "higher" },
  p50Micros: { title: "p50", unit: "us", better: lower },
  p99Micros: { title: "p99", unit: "us", better: lower },
  p999Micros: { title: "p99.9", unit: "us", better: lower },
  deliveredShare: { title: "delivered", unit: "of 1", better: "higher" },
  cpuMicros: { title: "CPU of all", unit: "us", better: lower },
  receiveCpuMicros: { title: "CPU of the receiver", unit: "us", better: lower },
  sendCpuMicros: { title: "CPU of the sender", unit: "us", better: lower },
  brokerCpuMicros: { title: "CPU of the broker", unit: "us", better: lower },
};

/** @throws Error for a number that nobody described. */
export function measureOf(name: string): Measure {
  const measure = measures[name];
  if (measure === undefined) throw new Error(`no measure ${name}`);
  return measure;
}
