import type { MemoryLink } from "@msg-ts/testing";
import { memoryLinks, SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { Connection } from "../../src/connection/connection.ts";
import { Dialer } from "../../src/connection/dialer.ts";
import type { ReconnectOptions } from "../../src/connection/reconnect-options.ts";
import { resolveReconnectOptions } from "../../src/connection/reconnect-options.ts";
import type { Link, Transport } from "../../src/contracts/transport.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { MsgError } from "../../src/errors.ts";

interface Attempt {
  readonly address: string;
  readonly signal: AbortSignal;
  readonly atMs: number;
  readonly resolve: (link: Link) => void;
  readonly reject: (error: unknown) => void;
}

interface Retry {
  readonly code: ErrorCode;
  readonly attempt: number;
  readonly delayMs: number;
}

/** A dialer, a transport that dials only when told, and what the owner was told. */
class Scene {
  readonly runtime: SimulatedRuntime;
  readonly attempts: Attempt[] = [];
  readonly probations: number[] = [];
  readonly timesLeft: number[] = [];
  readonly retries: Retry[] = [];
  readonly givenUp: MsgError[] = [];
  readonly dialer: Dialer;
  #connection: Connection | undefined;

  constructor(reconnect: ReconnectOptions = {}, random: () => number = () => 0.5) {
    this.runtime = new SimulatedRuntime({ random });
    const transport = {
      name: "test",
      dial: (address: string, signal: AbortSignal) =>
        new Promise<Link>((resolve, reject) => {
          const atMs = this.runtime.now();
          this.attempts.push({ address, signal, atMs, resolve, reject });
        }),
    } as unknown as Transport;
    this.dialer = new Dialer(
      "somewhere",
      transport,
      {
        runtime: this.runtime,
        reconnect: resolveReconnectOptions(reconnect),
        handshakeTimeoutMs: 10_000,
      },
      {
        onLink: (_dialer, _link, probationMs, timeLeftMs) => {
          this.probations.push(probationMs);
          this.timesLeft.push(timeLeftMs);
          // A dialer knows connections only by their identity.
          this.#connection = {} as Connection;
          return this.#connection;
        },
        onRetry: (_dialer, error, attempt, delayMs) =>
          this.retries.push({ code: error.code, attempt, delayMs }),
        onGivenUp: (_dialer, error) => this.givenUp.push(error),
      },
    );
  }

  get latest(): Attempt {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) throw new Error("nothing was dialed");
    return attempt;
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("there was no connection");
    return this.#connection;
  }

  /** The latest attempt makes a link. */
  async link(): Promise<MemoryLink> {
    const { dialed } = memoryLinks({ runtime: this.runtime });
    this.latest.resolve(dialed);
    await this.runtime.settle();
    return dialed;
  }

  async fail(): Promise<void> {
    this.latest.reject(new MsgError("MSG_DIAL_FAILED", "refused"));
    await this.runtime.settle();
  }

  /** The connection that stands ends; it was let in. */
  end(hasSpoken: boolean, reason?: MsgError): void {
    this.dialer.onConnectionClosed(this.connection, true, hasSpoken, reason);
  }

  /** The connection that stands ends in its handshake. */
  endEarly(reason?: MsgError): void {
    this.dialer.onConnectionClosed(this.connection, false, false, reason);
  }

  /** Fails attempts until `count` were made, waiting each wait to its end. */
  async failUntil(count: number): Promise<void> {
    while (this.attempts.length < count) {
      await this.fail();
      await this.runtime.pass(this.retries.at(-1)?.delayMs ?? 0);
    }
  }
}

describe("a dialer", () => {
  it("dials at once when it is started, the address it was given", () => {
    const scene = new Scene();
    scene.dialer.start();
    expect(scene.attempts).toEqual([expect.objectContaining({ address: "somewhere", atMs: 0 })]);
  });

  it("gives its first link to its owner, to be used at once", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.link();
    expect(scene.probations).toEqual([0]);
    expect(scene.dialer.state).toMatchObject({ phase: "connected" });
  });

  it("leaves to the handshake what dialing left of handshakeTimeoutMs", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.runtime.pass(4_000);
    await scene.link();
    expect(scene.timesLeft).toEqual([6_000]);
  });

  it("dials again when an attempt fails, not before its wait is over", async () => {
    const scene = new Scene({ minDelayMs: 100 });
    scene.dialer.start();
    await scene.fail();
    expect(scene.retries).toEqual([{ code: "MSG_DIAL_FAILED", attempt: 1, delayMs: 50 }]);
    await scene.runtime.pass(49);
    expect(scene.attempts.length).toBe(1);
    await scene.runtime.pass(1);
    expect(scene.attempts.length).toBe(2);
  });

  it("waits twice as long each time, up to the cap, with full jitter", async () => {
    for (const random of [0, 0.25, 0.999_999]) {
      const scene = new Scene({ minDelayMs: 100, maxDelayMs: 1_000 }, () => random);
      scene.dialer.start();
      await scene.failUntil(8);
      const ceilings = [100, 200, 400, 800, 1_000, 1_000, 1_000];
      expect(scene.retries.map(({ delayMs }) => delayMs)).toEqual(
        ceilings.map((ceiling) => ceiling * random),
      );
    }
  });

  it("draws each wait anew", async () => {
    const draws = [0.1, 0.9, 0.5];
    let draw = 0;
    const scene = new Scene({ minDelayMs: 1_000, maxDelayMs: 1_000 }, () => draws[draw++] ?? 0);
    scene.dialer.start();
    await scene.failUntil(4);
    expect(scene.retries.map(({ delayMs }) => delayMs)).toEqual([100, 900, 500]);
  });

  it("gives up an attempt that takes over handshakeTimeoutMs, and aborts it", async () => {
    const scene = new Scene();
    scene.dialer.start();
    const { signal } = scene.latest;
    await scene.runtime.pass(9_999);
    expect(signal.aborted).toBe(false);
    await scene.runtime.pass(1);
    expect(signal.aborted).toBe(true);
    expect(scene.retries).toEqual([expect.objectContaining({ code: "MSG_DIAL_FAILED" })]);
  });

  it("destroys a link that comes after its attempt was given up", async () => {
    const scene = new Scene();
    scene.dialer.start();
    const slow = scene.latest;
    await scene.runtime.pass(10_000);
    const { dialed } = memoryLinks({ runtime: scene.runtime });
    slow.resolve(dialed);
    await scene.runtime.settle();
    expect(dialed.isClosed).toBe(true);
    expect(scene.probations).toEqual([]);
  });

  it("counts an attempt once when it fails after it was given up", async () => {
    const scene = new Scene();
    scene.dialer.start();
    const slow = scene.latest;
    await scene.runtime.pass(10_000);
    slow.reject(new Error("aborted"));
    await scene.runtime.settle();
    expect(scene.retries.length).toBe(1);
  });

  it("wraps a foreign error, as the cause of a MSG_DIAL_FAILED that names the address", async () => {
    const scene = new Scene({ maxAttempts: 1 });
    scene.dialer.start();
    const cause = new Error("ECONNREFUSED");
    scene.latest.reject(cause);
    await scene.runtime.settle();
    expect(scene.givenUp).toEqual([
      expect.objectContaining({
        code: "MSG_DIAL_FAILED",
        message: expect.stringContaining("test://somewhere"),
        cause,
      }),
    ]);
  });
});

describe("a dialer with maxAttempts", () => {
  it("gives up with the last error after that many attempts in a row", async () => {
    const scene = new Scene({ maxAttempts: 3 });
    scene.dialer.start();
    await scene.failUntil(3);
    expect(scene.givenUp).toEqual([]);
    await scene.fail();
    expect(scene.givenUp.map(({ code }) => code)).toEqual(["MSG_DIAL_FAILED"]);
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("dials again after a proven connection ended, also when it is 1", async () => {
    const scene = new Scene({ maxAttempts: 1 });
    scene.dialer.start();
    await scene.link();
    scene.end(true);
    expect(scene.givenUp).toEqual([]);
    await scene.runtime.pass(100);
    expect(scene.attempts.length).toBe(2);
  });

  it("gives up on a peer that takes connections and never finishes a handshake", async () => {
    const scene = new Scene({ maxAttempts: 2 });
    scene.dialer.start();
    for (let connection = 1; connection <= 2; connection++) {
      await scene.link();
      await scene.runtime.pass(10_000);
      scene.endEarly(new MsgError("MSG_HANDSHAKE_TIMEOUT", "mute"));
      await scene.runtime.pass(200);
    }
    expect(scene.givenUp.map(({ code }) => code)).toEqual(["MSG_HANDSHAKE_TIMEOUT"]);
  });
});

describe("a dialer whose connection ended", () => {
  it("waits from the bottom when the connection had brought a frame", async () => {
    const scene = new Scene({ minDelayMs: 100 }, () => 0.999);
    scene.dialer.start();
    await scene.failUntil(5);
    await scene.link();
    scene.end(true);
    expect(scene.retries.at(-1)?.delayMs).toBeLessThan(100);
  });

  it("waits from the bottom when the connection had lived 5 s", async () => {
    const scene = new Scene({ minDelayMs: 100 }, () => 0.999);
    scene.dialer.start();
    await scene.failUntil(5);
    await scene.link();
    await scene.runtime.pass(5_000);
    scene.end(false);
    expect(scene.retries.at(-1)?.delayMs).toBeLessThan(100);
  });

  it("waits longer when the connection brought nothing and lived less", async () => {
    const scene = new Scene({ minDelayMs: 100 }, () => 0.999);
    scene.dialer.start();
    await scene.failUntil(5);
    await scene.link();
    await scene.runtime.pass(4_999);
    scene.end(false);
    expect(scene.retries.at(-1)).toEqual({
      code: "MSG_PEER_LOST",
      attempt: 5,
      delayMs: 1_600 * 0.999,
    });
  });

  it("puts the next connection on probation when it was unproven", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.link();
    scene.end(false);
    await scene.runtime.pass(100);
    await scene.link();
    expect(scene.probations).toEqual([0, 100]);
  });

  it("puts nobody on probation when it was proven", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.link();
    scene.end(true);
    await scene.runtime.pass(100);
    await scene.link();
    expect(scene.probations).toEqual([0, 0]);
  });

  it("does not count a connection as lived 5 s whose handshake is not finished then", async () => {
    const scene = new Scene({}, () => 0.999);
    scene.dialer.start();
    await scene.failUntil(3);
    await scene.link();
    await scene.runtime.pass(9_999);
    scene.endEarly();
    expect(scene.retries.at(-1)).toMatchObject({ attempt: 3 });
  });

  it("takes no timer while the connection stands", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.link();
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("ignores a connection that is not its present one", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.link();
    const earlier = scene.connection;
    scene.end(false);
    await scene.runtime.pass(100);
    await scene.link();
    scene.dialer.onConnectionClosed(earlier, true, true, undefined);
    expect(scene.dialer.state).toMatchObject({ phase: "connected", isProven: false });
  });
});

describe("a dialer that is refused", () => {
  const refusals = [
    "MSG_AUTH_REJECTED",
    "MSG_AUTH_FAILED",
    "MSG_WRONG_SOCKET_TYPE",
    "MSG_PROTOCOL",
    "MSG_TOO_MANY_PEERS",
  ] as const;

  for (const code of refusals) {
    it(`with ${code} waits at least 1 s`, async () => {
      const scene = new Scene({ minDelayMs: 10 }, () => 0);
      scene.dialer.start();
      await scene.link();
      scene.end(false, new MsgError(code, "no"));
      expect(scene.retries).toEqual([{ code, attempt: 1, delayMs: 1_000 }]);
    });
  }

  it("waits longer than 1 s when the back-off says so", async () => {
    const scene = new Scene({ minDelayMs: 4_000 }, () => 0.5);
    scene.dialer.start();
    await scene.link();
    scene.end(false, new MsgError("MSG_AUTH_REJECTED", "no"));
    expect(scene.retries[0]?.delayMs).toBe(2_000);
  });

  it("never waits over maxDelayMs", async () => {
    const scene = new Scene({ minDelayMs: 10, maxDelayMs: 300 }, () => 0);
    scene.dialer.start();
    await scene.link();
    scene.end(false, new MsgError("MSG_AUTH_REJECTED", "no"));
    expect(scene.retries[0]?.delayMs).toBe(300);
  });

  it("waits as usual for what is no refusal", async () => {
    const scene = new Scene({ minDelayMs: 10 }, () => 0);
    scene.dialer.start();
    await scene.link();
    scene.end(false, new MsgError("MSG_PEER_LOST", "gone"));
    expect(scene.retries[0]?.delayMs).toBe(0);
  });
});

describe("a dialer that is closed", () => {
  it("while dialing aborts the attempt, and destroys a link that comes late", async () => {
    const scene = new Scene();
    scene.dialer.start();
    scene.dialer.close();
    expect(scene.latest.signal.aborted).toBe(true);
    const late = await scene.link();
    expect(late.isClosed).toBe(true);
    expect(scene.probations).toEqual([]);
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("while dialing tells nobody of the attempt's end", async () => {
    const scene = new Scene();
    scene.dialer.start();
    scene.dialer.close();
    await scene.fail();
    expect(scene.retries).toEqual([]);
    expect(scene.givenUp).toEqual([]);
  });

  it("while it waits never dials again", async () => {
    const scene = new Scene();
    scene.dialer.start();
    await scene.fail();
    scene.dialer.close();
    await scene.runtime.pass(60_000);
    expect(scene.attempts.length).toBe(1);
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("while connected leaves the connection to its owner and dials no more", async () => {
    const scene = new Scene();
    scene.dialer.start();
    const link = await scene.link();
    scene.dialer.close();
    expect(link.isClosed).toBe(false);
    scene.end(false);
    await scene.runtime.pass(60_000);
    expect(scene.attempts.length).toBe(1);
    expect(scene.retries).toEqual([]);
  });
});
