import { SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { PushJob } from "../../../src/socket/push-pull/push-job.ts";
import { ReturnedJobs } from "../../../src/socket/push-pull/push-returned.ts";

type TestJob = PushJob<string>;

/** Returned jobs, and PULLs named by letters that take as many as they have room for. */
class Scene {
  readonly runtime: SimulatedRuntime = new SimulatedRuntime();
  readonly given: string[] = [];
  readonly room: Map<string, number> = new Map();
  readonly returned: ReturnedJobs<string> = new ReturnedJobs(
    this.runtime,
    { redeliveryDelayMs: 100, maxRedeliveryDelayMs: 5_000 },
    () => this.pump(),
  );

  job(name: string): TestJob {
    const payload = new TextEncoder().encode(name);
    return new PushJob(payload, { compression: 0, bytes: payload });
  }

  pump(): void {
    this.returned.pump((job) => {
      for (const [name, room] of this.room) {
        if (room === 0 || job.refusedBy.includes(name)) continue;
        this.room.set(name, room - 1);
        this.given.push(`${new TextDecoder().decode(job.payload)} to ${name}`);
        return true;
      }
      return false;
    });
  }
}

describe("ReturnedJobs", () => {
  it("gives jobs of a lost PULL to anybody, in their order", () => {
    const scene = new Scene();
    for (const name of ["1", "2", "3"]) scene.returned.addLost(scene.job(name));
    scene.room.set("a", 2);
    scene.pump();
    expect(scene.given).toEqual(["1 to a", "2 to a"]);
    expect([scene.returned.size, scene.returned.freeSize, scene.returned.bytes]).toEqual([1, 1, 1]);
  });

  it("keeps a refused job from who refused it until its back-off is over", () => {
    const scene = new Scene();
    scene.room.set("a", 5);
    scene.returned.addRefused(scene.job("1"), "a");
    scene.pump();
    scene.runtime.advance(99);
    expect(scene.given).toEqual([]);
    scene.runtime.advance(1);
    expect(scene.given).toEqual(["1 to a"]);
    expect(scene.returned.bytes).toBe(0);
  });

  it("gives a refused job to another at once", () => {
    const scene = new Scene();
    scene.room.set("a", 5).set("b", 5);
    scene.returned.addRefused(scene.job("1"), "a");
    scene.pump();
    expect(scene.given).toEqual(["1 to b"]);
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("waits for its back-off when everybody refused it", () => {
    const scene = new Scene();
    const job = scene.job("1");
    scene.room.set("a", 5).set("b", 5);
    scene.returned.addRefused(job, "a");
    scene.pump();
    scene.runtime.advance(50);
    scene.returned.addRefused(job, "b");
    scene.pump();
    scene.runtime.advance(99);
    expect(scene.given).toEqual(["1 to b"]);
    scene.runtime.advance(1);
    expect(scene.given).toEqual(["1 to b", "1 to a"]);
  });

  it("doubles the back-off up to its cap", () => {
    const scene = new Scene();
    const job = scene.job("1");
    const waits: number[] = [];
    scene.room.set("a", Infinity);
    for (let i = 0; i < 8; i++) {
      scene.returned.addRefused(job, "a");
      waits.push(scene.runtime.timersInMs[0] ?? 0);
      scene.runtime.advance(5_000);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(scene.given).toHaveLength(8);
  });

  it("does not hold up jobs that others can take", () => {
    const scene = new Scene();
    scene.room.set("a", 5);
    scene.returned.addRefused(scene.job("1"), "a");
    scene.returned.addRefused(scene.job("2"), "b");
    scene.returned.addLost(scene.job("3"));
    scene.pump();
    expect(scene.given).toEqual(["3 to a", "2 to a"]);
  });

  it("looks at 64 refused jobs at a time, and at the rest when their back-off is over", () => {
    const scene = new Scene();
    scene.room.set("a", 100);
    for (let i = 0; i < 64; i++) scene.returned.addRefused(scene.job("x"), "a");
    scene.returned.addRefused(scene.job("last"), "b");
    scene.pump();
    expect(scene.given).toEqual([]);
    scene.runtime.advance(100);
    expect(scene.given).toHaveLength(65);
  });

  it("still avoids who refused a job when the next one is lost with it", () => {
    const scene = new Scene();
    const job = scene.job("1");
    scene.room.set("a", 5).set("b", 1);
    scene.returned.addRefused(job, "a");
    scene.pump();
    scene.room.delete("b");
    scene.returned.addLost(job);
    scene.pump();
    expect(scene.given).toEqual(["1 to b"]);
    scene.runtime.advance(100);
    expect(scene.given).toEqual(["1 to b", "1 to a"]);
  });

  it("leaves no timer behind when it is cleared", () => {
    const scene = new Scene();
    scene.returned.addRefused(scene.job("1"), "a");
    scene.returned.addLost(scene.job("2"));
    expect(scene.returned.clear()).toHaveLength(2);
    expect(scene.runtime.timersInMs).toEqual([]);
    expect([scene.returned.size, scene.returned.bytes]).toEqual([0, 0]);
  });
});
