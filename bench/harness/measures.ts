/** What the numbers of a round are, and which way is better. */
export interface Measure {
  readonly title: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
}

const lower = "lower";

const higher = "higher";

/** Every measure by name. The first that a row has is its headline. */
export const measures: Readonly<Record<string, Measure>> = {
  perSecond: { title: "per second", unit: "/s", better: higher },
  megabytesPerSecond: { title: "rate", unit: "MB/s", better: higher },
  p99OverIdle: { title: "p99 over idle p50", unit: "x", better: lower },
  idleP50Micros: { title: "idle p50", unit: "us", better: lower },
  p50Micros: { title: "p50", unit: "us", better: lower },
  p99Micros: { title: "p99", unit: "us", better: lower },
  p999Micros: { title: "p99.9", unit: "us", better: lower },
  loadPerSecond: { title: "rate", unit: "/s", better: higher },
  p50Ms: { title: "p50", unit: "ms", better: lower },
  p99Ms: { title: "p99", unit: "ms", better: lower },
  lateP50Ms: { title: "timers late, p50", unit: "ms", better: lower },
  lateMaxMs: { title: "timers late, longest", unit: "ms", better: lower },
  firstMessageMs: { title: "first answer", unit: "ms", better: lower },
  repeatedNanos: { title: "repeated topic", unit: "ns", better: lower },
  newNanos: { title: "new topic", unit: "ns", better: lower },
  residentBytes: { title: "resident", unit: "bytes", better: lower },
  listeningBytes: { title: "of the listener", unit: "bytes", better: lower },
  dialingBytes: { title: "of the dialer", unit: "bytes", better: lower },
  heapBytes: { title: "heap", unit: "bytes", better: lower },
  deliveredShare: { title: "delivered", unit: "of 1", better: higher },
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
