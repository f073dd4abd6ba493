import { SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { FrameDecoder } from "@msg-ts/core";
import { RunClock } from "../../../src/socket/req-rep/run-clock.ts";

class CountingRuntime extends SimulatedRuntime {
  looks = 0;

  override now(): number {
    this.looks++;
    return super.now();
  }
}

function setUp(onFrame: (byte: number) => void) {
  const runtime = new CountingRuntime();
  const inner: FrameDecoder = {
    neededBytes: 7,
    decode(bytes, start, end) {
      for (const byte of bytes.subarray(start, end)) onFrame(byte);
      return end;
    },
  };
  return { runtime, clock: new RunClock(inner, runtime) };
}

describe("RunClock", () => {
  it("is the decoder that it was given", () => {
    const seen: number[] = [];
    const { runtime, clock } = setUp((byte) => seen.push(byte));
    expect(clock.decode(new Uint8Array([1, 2, 3, 4]), 1, 3)).toBe(3);
    expect([seen, clock.neededBytes, runtime.looks]).toEqual([[2, 3], 7, 0]);
  });

  it("gives frames that are read together one time, and each run its own", () => {
    const times: number[] = [];
    const { runtime, clock } = setUp(() => {
      times.push(clock.now());
      runtime.advance(1);
    });
    clock.decode(new Uint8Array(3), 0, 3);
    runtime.advance(10);
    clock.decode(new Uint8Array(2), 0, 2);
    expect([times, runtime.looks]).toEqual([[0, 0, 0, 13, 13], 2]);
  });

  it("looks each time for what is told outside of a run, also after one that threw", () => {
    const { runtime, clock } = setUp(() => {
      clock.now();
      throw new Error("violation");
    });
    expect(() => clock.decode(new Uint8Array(1), 0, 1)).toThrow("violation");
    runtime.advance(5);
    const first = clock.now();
    runtime.advance(1);
    expect([first, clock.now()]).toEqual([5, 6]);
  });
});
