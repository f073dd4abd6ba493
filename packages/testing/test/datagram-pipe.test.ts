import { Buffer } from "node:buffer";
import type { DatagramFaults } from "@msg-ts/testing";
import { DatagramPipe, expectNoLeaks, seededRandom, waitFor } from "@msg-ts/testing";
import { describe, expect, it, onTestFinished } from "vitest";

expectNoLeaks();

/** A pipe, and what came out of it. */
function scene(faults: DatagramFaults = {}, seed = 1) {
  const pipe = new DatagramPipe(seededRandom(seed));
  pipe.setFaults(faults);
  onTestFinished(() => pipe.close());
  const arrived: Buffer[] = [];
  const route = { send: (datagram: Buffer) => void arrived.push(datagram) };
  const push = (number: number, to = route): void => {
    const datagram = Buffer.alloc(64);
    datagram.writeUInt32BE(number);
    pipe.push(datagram, to);
  };
  const numbers = (): number[] => arrived.map((datagram) => datagram.readUInt32BE());
  return { pipe, push, arrived, numbers, route };
}

const count = 2_000;

/** Pushes 0 to 1,999 and waits until nothing is under way. */
async function pushAll({ push, pipe }: ReturnType<typeof scene>): Promise<void> {
  for (let number = 0; number < count; number++) push(number);
  await waitFor(() => pipe.waitingCount === 0, { what: "nothing is under way" });
}

const inOrder = Array.from({ length: count }, (_, number) => number);

describe("a pipe of datagrams", () => {
  it("gives on everything at once and in order when it has no faults", () => {
    const way = scene();
    for (let number = 0; number < count; number++) way.push(number);
    expect(way.numbers()).toEqual(inOrder);
    expect(way.pipe.counts).toMatchObject({ received: count, sent: count, sentBytes: 128_000 });
  });

  it("loses as many as it says, by chance that its seed repeats", async () => {
    const runs = [7, 7, 8].map((seed) => scene({ lossPercent: 5 }, seed));
    for (const run of runs) await pushAll(run);
    const [first, same, other] = runs.map((run) => run.numbers());
    expect(first).toEqual(same);
    expect(first).not.toEqual(other);
    const { lost, sent } = (runs[0] as (typeof runs)[0]).pipe.counts;
    expect(first?.length).toBe(sent);
    expect(lost + sent).toBe(count);
    expect(lost).toBeGreaterThan(count * 0.03);
    expect(lost).toBeLessThan(count * 0.07);
  });

  it("duplicates as many as it says", async () => {
    const way = scene({ duplicatePercent: 10 });
    await pushAll(way);
    const { duplicated, sent } = way.pipe.counts;
    expect(duplicated).toBeGreaterThan(count * 0.07);
    expect(sent).toBe(count + duplicated);
    const seen = new Map<number, number>();
    for (const number of way.numbers()) seen.set(number, (seen.get(number) ?? 0) + 1);
    expect([...seen.values()].filter((times) => times === 2)).toHaveLength(duplicated);
    expect(seen.size).toBe(count);
  });

  it("reorders as many as it says: each is overtaken, none is lost", async () => {
    const way = scene({ reorderPercent: 5, overtakenBy: 2 });
    await pushAll(way);
    const numbers = way.numbers();
    expect(numbers.toSorted((a, b) => a - b)).toEqual(inOrder);
    let overtaken = 0;
    let highest = -1;
    for (const number of numbers) {
      if (number < highest) overtaken += 1;
      highest = Math.max(highest, number);
    }
    expect(way.pipe.counts.reordered).toBe(overtaken);
    expect(overtaken).toBeGreaterThan(count * 0.03);
  });

  it("lets a held one go alone when nothing overtakes it", async () => {
    const way = scene({ reorderPercent: 100 });
    way.push(1);
    expect(way.numbers()).toEqual([]);
    await waitFor(() => way.numbers().length === 1, { what: "it came" });
    expect(way.pipe.counts).toMatchObject({ sent: 1, reordered: 0 });
  });

  it("does not let a datagram of another route overtake", () => {
    const way = scene({ reorderPercent: 100, overtakenBy: 1 });
    way.push(1);
    way.pipe.setFaults({});
    const other: number[] = [];
    way.push(2, { send: (datagram) => void other.push(datagram.readUInt32BE()) });
    expect([other, way.numbers()]).toEqual([[2], []]);
    way.push(3);
    expect(way.numbers()).toEqual([3, 1]);
  });

  it("flips bits of as many as it says and keeps their length", async () => {
    const way = scene({ corruptPercent: 10 });
    await pushAll(way);
    const damaged = way.arrived.filter((datagram, number) => {
      const whole = Buffer.alloc(64);
      whole.writeUInt32BE(number);
      return !datagram.equals(whole);
    });
    expect(way.pipe.counts.corrupted).toBe(damaged.length);
    expect(damaged.length).toBeGreaterThan(count * 0.07);
    expect(way.arrived.every(({ length }) => length === 64)).toBe(true);
  });

  it("delays each and keeps the order in spite of jitter", async () => {
    const way = scene({ delayMs: 30, jitterMs: 20 });
    const startMs = performance.now();
    await pushAll(way);
    // Not sooner: a busy machine makes it only later.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(29);
    expect(way.numbers()).toEqual(inOrder);
  });

  it("carries no more than its rate, and drops what its queue does not hold", async () => {
    const way = scene({ bytesPerSecond: 640_000, queueBytes: 32_000 });
    const startMs = performance.now();
    await pushAll(way);
    const { sent, overflowed, sentBytes } = way.pipe.counts;
    expect(sent + overflowed).toBe(count);
    expect(overflowed).toBeGreaterThan(0);
    const seconds = (performance.now() - startMs) / 1_000;
    expect(sentBytes / seconds).toBeLessThan(640_000 * 1.1);
  });

  it("drops all while it is blocked, counted, and none behind that", () => {
    const way = scene();
    way.pipe.block();
    way.push(1);
    way.pipe.open();
    way.push(2);
    expect(way.numbers()).toEqual([2]);
    expect(way.pipe.counts).toMatchObject({ received: 2, blocked: 1, sent: 1 });
  });

  it("keeps back what it can while it is stalled, and gives it in order behind that", async () => {
    const way = scene({ queueBytes: 64 * 100 });
    way.pipe.stall();
    for (let number = 0; number < 150; number++) way.push(number);
    expect(way.numbers()).toEqual([]);
    way.pipe.open();
    await waitFor(() => way.pipe.waitingCount === 0, { what: "all left" });
    expect(way.numbers()).toEqual(inOrder.slice(0, 100));
    expect(way.pipe.counts.overflowed).toBe(50);
  });

  it("accounts for every datagram under all faults at once", async () => {
    const way = scene({
      lossPercent: 5,
      duplicatePercent: 5,
      reorderPercent: 5,
      corruptPercent: 5,
      jitterMs: 3,
      bytesPerSecond: 3_000_000,
      queueBytes: 60_000,
    });
    await pushAll(way);
    const { received, duplicated, sent, lost, blocked, overflowed } = way.pipe.counts;
    expect(received + duplicated).toBe(sent + lost + blocked + overflowed);
    expect(way.arrived).toHaveLength(sent);
  });

  it("refuses faults that are out of range or unknown, and names them", () => {
    const { pipe } = scene();
    expect(() => pipe.setFaults({ lossPercent: 101 })).toThrow(
      "lossPercent is 101, must be 0 to 100",
    );
    expect(() => pipe.setFaults({ delayMs: Number.NaN })).toThrow("delayMs is NaN");
    expect(() => pipe.setFaults({ loss: 3 } as DatagramFaults)).toThrow("no fault loss");
  });
});
