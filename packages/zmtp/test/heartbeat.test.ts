import type { Pulse, WireContext, WireGate } from "@msg-ts/core";
import { bytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { GrowingBuffer } from "../../core/test/wire/growing-buffer.ts";
import { Heartbeat } from "../src/heartbeat.ts";
import { FrameWriter } from "../src/wire/frame-writer.ts";
import type { ResolvedHeartbeat } from "../src/zmtp-options.ts";

const ping = "04070450494e470003";
const pong = "040504504f4e47";

/** A heartbeat on a clock that a test moves. */
class HeartScene {
  readonly out: GrowingBuffer = new GrowingBuffer();
  readonly failures: unknown[] = [];
  #saidBytes = 0;
  readonly pulse = {
    nowMs: 0,
    now: (): number => this.pulse.nowMs,
    receivedBytes: 0,
    unsentBytes: 0,
    everyMs: Infinity,
    beat: (): void => {},
    every: (intervalMs: number, callback: () => void): void => {
      this.pulse.everyMs = intervalMs;
      this.pulse.beat = callback;
    },
  } satisfies Pulse & Record<string, unknown>;
  readonly gate = { isOpen: true };
  readonly heart: Heartbeat;

  constructor(options: Partial<ResolvedHeartbeat> = {}) {
    const context: WireContext = {
      maxMessageBytes: 1_000,
      gate: this.gate as WireGate,
      decompress: (_id, payload) => payload,
      fail: (error) => {
        this.failures.push(error);
        // The connection is closed, and its timer is gone.
        this.pulse.beat = () => {};
      },
      pulse: this.pulse,
    };
    const all = { intervalMs: 100, timeoutMs: 300, ttlMs: 300, ...options };
    this.heart = new Heartbeat(context, new FrameWriter(this.out, undefined), all);
  }

  /** Lets time pass, with the beats that fall into it. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= this.pulse.everyMs) {
      this.pulse.nowMs += Math.min(left, this.pulse.everyMs);
      this.pulse.beat();
    }
  }

  /** This process does nothing for so long; then its timer is late. */
  sleep(ms: number): void {
    this.pulse.nowMs += ms;
    this.pulse.beat();
  }

  /** A PING of the peer with this TTL, in tenths of a second. */
  onPing(ttl: number, context = ""): void {
    this.heart.onCommand({
      name: "PING",
      data: bytes(ttl.toString(16).padStart(4, "0") + context),
    });
  }

  /** What was written since the last call. */
  said(): string {
    const { written } = this.out;
    const said = hex(written.subarray(this.#saidBytes));
    this.#saidBytes = written.length;
    return said;
  }
}

describe("a heartbeat", () => {
  it("sends a PING each interval, and ends a connection that is silent for the time-out", () => {
    const scene = new HeartScene();
    scene.pass(300);
    expect(scene.said().startsWith(ping + ping)).toBe(true);
    expect(scene.failures[0]).toMatchObject({
      code: "MSG_PEER_LOST",
      message: "peer sent nothing for 300 ms, not even an answer to a PING",
    });
  });

  it("counts any byte as life", () => {
    const scene = new HeartScene();
    for (let i = 0; i < 10; i++) {
      scene.pass(200);
      scene.pulse.receivedBytes++;
    }
    scene.pass(200);
    expect(scene.failures).toEqual([]);
  });

  it("does not count the time in which this process did not listen", () => {
    const scene = new HeartScene();
    scene.pass(100);
    scene.sleep(60_000);
    expect(scene.failures).toEqual([]);
    scene.pass(300);
    expect(scene.failures).toHaveLength(1);
  });

  it("takes a peer that does not read for slow, not silent, and sends it no PING", () => {
    const scene = new HeartScene();
    scene.pulse.unsentBytes = 1;
    scene.pass(10_000);
    expect([scene.failures, scene.said()]).toEqual([[], ""]);
    scene.pulse.unsentBytes = 0;
    scene.pass(200);
    expect(scene.failures).toEqual([]);
    scene.pass(200);
    expect(scene.failures).toHaveLength(1);
  });

  it("takes a peer that we do not read from for no silent one, and still sends it a PING", () => {
    const scene = new HeartScene();
    scene.gate.isOpen = false;
    scene.pass(10_000);
    expect(scene.failures).toEqual([]);
    expect(scene.said().startsWith(ping)).toBe(true);
    scene.gate.isOpen = true;
    scene.pass(400);
    expect(scene.failures).toHaveLength(1);
  });

  it("answers a PING, but not behind 64 KiB that the peer does not read", () => {
    const scene = new HeartScene({ intervalMs: Infinity });
    scene.onPing(0, "6162");
    expect(scene.said()).toBe("040704504f4e476162");
    scene.pulse.unsentBytes = 64 * 1024 - 1;
    scene.onPing(0);
    expect(scene.said()).toBe(pong);
    scene.pulse.unsentBytes = 64 * 1024;
    scene.onPing(0);
    expect(scene.said()).toBe("");
  });

  it("waits for as long as the peer's TTL says, also where it sends no PING itself", () => {
    const scene = new HeartScene({ intervalMs: Infinity });
    expect(scene.pulse.everyMs).toBe(Infinity);
    scene.onPing(10);
    expect(scene.pulse.everyMs).toBe(250);
    scene.pass(750);
    expect(scene.failures).toEqual([]);
    scene.pass(500);
    expect(scene.failures).toHaveLength(1);
    expect(scene.said()).toBe(pong);
  });

  it("looks at its clock no more often than each 100 ms, whatever the peer asks for", () => {
    const scene = new HeartScene({ intervalMs: Infinity });
    scene.onPing(1);
    expect(scene.pulse.everyMs).toBe(100);
  });

  it("starts its time anew for another TTL only, not for each PING", () => {
    const scene = new HeartScene({ intervalMs: Infinity });
    scene.onPing(4);
    scene.pass(300);
    // Its bytes did not count: nothing says that they came.
    scene.onPing(4);
    scene.pass(200);
    expect(scene.failures).toHaveLength(1);
  });

  it.each([
    ["another command", { name: "FOO", data: bytes("0000") }],
    ["a PONG", { name: "PONG", data: bytes("") }],
    ["a PING without a TTL", { name: "PING", data: bytes("00") }],
  ])("takes %s for nothing", (_what, command) => {
    const scene = new HeartScene({ intervalMs: Infinity });
    scene.heart.onCommand(command);
    expect([scene.said(), scene.pulse.everyMs]).toEqual(["", Infinity]);
  });
});
