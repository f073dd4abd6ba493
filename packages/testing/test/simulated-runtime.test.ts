import { seededRandom, SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

describe("the clock of a simulated runtime", () => {
  it("stands still until it is advanced, and the wall clock goes with it", () => {
    const runtime = new SimulatedRuntime({ wallClockMicros: 5_000 });
    expect([runtime.now(), runtime.wallClockMicros()]).toEqual([0, 5_000]);
    runtime.advance(1.5);
    expect([runtime.now(), runtime.wallClockMicros()]).toEqual([1.5, 6_500]);
  });

  it("runs timers in the order in which they fall due, at their time", () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    const note = (name: string) => () => ran.push(`${name} at ${runtime.now()}`);
    runtime.setTimer(note("late"), 20);
    runtime.setTimer(note("early"), 10);
    runtime.setTimer(note("second"), 10);
    runtime.advance(15);
    expect(ran).toEqual(["early at 10", "second at 10"]);
    expect(runtime.timersInMs).toEqual([5]);
    runtime.advance(5);
    expect(ran).toEqual(["early at 10", "second at 10", "late at 20"]);
  });

  it("runs timers that timers set, as far as the time reaches", () => {
    const runtime = new SimulatedRuntime();
    let runs = 0;
    const again = (): void => {
      runs++;
      runtime.setTimer(again, 10);
    };
    again();
    runtime.advance(100);
    expect(runs).toBe(11);
    expect(runtime.timersInMs).toEqual([10]);
  });

  it("runs one timer alone, or lets the time pass", () => {
    const runtime = new SimulatedRuntime();
    const ran: number[] = [];
    runtime.setTimer(() => ran.push(1), 10);
    runtime.setTimer(() => ran.push(2), 10);
    expect(runtime.runTimer(9)).toBe(false);
    expect([ran, runtime.now()]).toEqual([[], 9]);
    expect(runtime.runTimer(9)).toBe(true);
    expect([ran, runtime.now()]).toEqual([[1], 10]);
  });

  it("runs one callback alone, those of the tick before those of the next turn", () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    runtime.nextTurn(() => ran.push("turn"));
    runtime.endOfTick(() => ran.push("tick"));
    runtime.runOne();
    expect(ran).toEqual(["tick"]);
    runtime.runOne();
    runtime.runOne();
    expect(ran).toEqual(["tick", "turn"]);
  });

  it("runs no timer that was cleared, and none inside the call that set it", () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    runtime.clearTimer(runtime.setTimer(() => ran.push("cleared"), 5));
    runtime.clearTimer(undefined);
    runtime.setTimer(() => ran.push("now"), 0);
    expect(ran).toEqual([]);
    runtime.advance(0);
    expect(ran).toEqual(["now"]);
    runtime.advance(10);
    expect(ran).toEqual(["now"]);
  });

  it("waits 2^31-1 ms for a timer of Infinity, like the contract", () => {
    const runtime = new SimulatedRuntime();
    runtime.setTimer(() => {}, Infinity);
    expect(runtime.timersInMs).toEqual([2 ** 31 - 1]);
  });
});

describe("the queues of a simulated runtime", () => {
  it("run nothing by themselves", async () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    runtime.endOfTick(() => ran.push("tick"));
    runtime.nextTurn(() => ran.push("turn"));
    await Promise.resolve();
    expect(ran).toEqual([]);
    expect(runtime.isAtRest).toBe(false);
    runtime.run();
    expect(ran).toEqual(["tick", "turn"]);
    expect(runtime.isAtRest).toBe(true);
  });

  it("end a tick with all that the tick adds, before the next turn", () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    runtime.endOfTick(() => {
      ran.push("first");
      runtime.endOfTick(() => ran.push("added"));
    });
    runtime.endOfTick(() => ran.push("second"));
    runtime.runTicks();
    expect(ran).toEqual(["first", "second", "added"]);
  });

  it("end a tick behind each callback of a turn, and leave what a turn adds to the next", () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    runtime.nextTurn(() => {
      ran.push("one");
      runtime.endOfTick(() => ran.push("end of one"));
      runtime.nextTurn(() => ran.push("three"));
    });
    runtime.nextTurn(() => ran.push("two"));
    runtime.runTurn();
    expect(ran).toEqual(["one", "end of one", "two"]);
    runtime.runTurn();
    expect(ran.at(-1)).toBe("three");
  });

  it("may run a turn whose tick does not end", () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    runtime.nextTurn(() => ran.push("turn"));
    runtime.runTurnWithoutTicks(() => runtime.endOfTick(() => ran.push("tick")));
    expect(ran).toEqual(["turn"]);
    runtime.run();
    expect(ran).toEqual(["turn", "tick"]);
  });

  it("settle together with promise reactions", async () => {
    const runtime = new SimulatedRuntime();
    const ran: string[] = [];
    const work = async (): Promise<void> => {
      for (let step = 0; step < 5; step++) {
        await new Promise<void>((resolve) => {
          runtime.nextTurn(resolve);
        });
        await Promise.resolve();
        runtime.endOfTick(() => ran.push(`step ${step}`));
      }
    };
    void work();
    await runtime.settle();
    expect(ran.length).toBe(5);
  });

  it("let time pass for what is awaited between timers", async () => {
    const runtime = new SimulatedRuntime();
    const times: number[] = [];
    const work = async (): Promise<void> => {
      for (let step = 0; step < 3; step++) {
        await new Promise<void>((resolve) => {
          runtime.setTimer(resolve, 10);
        });
        times.push(runtime.now());
      }
    };
    void work();
    await runtime.pass(25);
    expect(times).toEqual([10, 20]);
    expect(runtime.now()).toBe(25);
    await runtime.pass(5);
    expect(times).toEqual([10, 20, 30]);
  });
});

function draw(seed: number): number[] {
  const runtime = new SimulatedRuntime({ seed });
  return Array.from({ length: 5 }, () => runtime.random());
}

describe("the chance of a simulated runtime", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("is spread evenly from 0 to 1", () => {
    const random = seededRandom(42);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let count = 0; count < 10_000; count++) {
      const tenth = Math.floor(random() * 10);
      tenths[tenth] = (tenths[tenth] ?? Number.NaN) + 1;
    }
    expect(tenths.length).toBe(10);
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it("may be given", () => {
    expect(new SimulatedRuntime({ random: () => 0.25 }).random()).toBe(0.25);
  });
});
