import type { Link, LinkHandlers } from "@msg-ts/core";
import type { FaultLink, FaultMix, FaultTransportOptions, LinkFaults } from "@msg-ts/testing";
import {
  FaultTransport,
  hex,
  joinBytes,
  seededFaults,
  SimNetwork,
  SimulatedRuntime,
} from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

/** What the handlers of a link were told. */
class Ear implements LinkHandlers {
  readonly link: Link;
  readonly told: string[] = [];
  readonly pieces: Uint8Array[] = [];
  readonly #buffer: Uint8Array | undefined;

  constructor(link: Link, buffer?: Uint8Array) {
    this.link = link;
    this.#buffer = buffer;
    link.start(this);
  }

  get text(): string {
    return hex(joinBytes(this.pieces));
  }

  get byteCount(): number {
    return joinBytes(this.pieces).length;
  }

  onData(chunk: Uint8Array): void {
    this.told.push("data");
    this.pieces.push(new Uint8Array(chunk));
  }

  onDrain(): void {
    this.told.push("drain");
  }

  onEnd(): void {
    this.told.push("end");
  }

  onClose(reason?: Error): void {
    this.told.push(reason === undefined ? "close" : `close ${reason.message}`);
  }

  nextBuffer(): Uint8Array {
    return this.#buffer ?? new Uint8Array(100);
  }
}

interface Joined {
  readonly runtime: SimulatedRuntime;
  readonly transport: FaultTransport;
  readonly dialed: Ear;
  readonly accepted: Ear;
  readonly dialedLink: FaultLink;
  readonly acceptedLink: FaultLink;
}

const never = new AbortController().signal;

function transportOf(options: FaultTransportOptions) {
  const runtime = new SimulatedRuntime();
  const network = new SimNetwork(runtime);
  return { runtime, network, transport: new FaultTransport(network, { runtime, ...options }) };
}

/** Both ends of one link; the faults are the dialed end's. */
async function joined(faults: LinkFaults = {}, acceptedFaults: LinkFaults = {}): Promise<Joined> {
  const { runtime, transport } = transportOf({
    faults: (_, side) => (side === "dialed" ? faults : acceptedFaults),
  });
  const links: Link[] = [];
  await transport.listen("here", {
    onLink: (link) => void links.push(link),
    onError: () => undefined,
    onRefused: () => undefined,
  });
  const dialed = new Ear(await transport.dial("here", never));
  const accepted = new Ear(links[0] as Link);
  const [acceptedLink, dialedLink] = transport.links as [FaultLink, FaultLink];
  return { runtime, transport, dialed, accepted, dialedLink, acceptedLink };
}

function bytes(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index);
}

describe("a link with faults", () => {
  it("delays bytes by so many milliseconds, in their order", async () => {
    const delays = [5, 1];
    const { runtime, dialed, accepted } = await joined({
      outgoing: { delayMs: () => delays.shift() ?? 0 },
    });
    dialed.link.write([bytes(1, 1)]);
    dialed.link.write([bytes(1, 2)]);
    runtime.advance(4);
    expect(accepted.text).toBe("");
    runtime.advance(1);
    expect(accepted.text).toBe("0102");
  });

  it("moves a byte at a time, written or read", async () => {
    const { runtime, dialed, accepted } = await joined({
      outgoing: { pieceBytes: 1 },
      incoming: { pieceBytes: 1 },
    });
    dialed.link.write([bytes(3)]);
    accepted.link.write([bytes(3)]);
    runtime.run();
    expect(dialed.pieces.map((piece) => piece.length)).toEqual([1, 1, 1]);
    expect(accepted.text).toBe("000102");
  });

  it("puts what it reads where its receiver wants it", async () => {
    const { transport, runtime } = transportOf({ faults: () => ({ incoming: { pieceBytes: 9 } }) });
    const links: Link[] = [];
    const handlers = { onError: () => undefined, onRefused: () => undefined };
    await transport.listen("here", { ...handlers, onLink: (link) => void links.push(link) });
    const dialed = new Ear(await transport.dial("here", never), new Uint8Array(2));
    new Ear(links[0] as Link).link.write([bytes(5)]);
    runtime.run();
    expect(dialed.pieces.map((piece) => piece.length)).toEqual([2, 2, 1]);
    expect(dialed.text).toBe("0001020304");
  });

  for (const at of [0, 1, 6, 7]) {
    it(`breaks behind byte ${at} of what it reads, and tells both ends`, async () => {
      const { runtime, dialed, accepted } = await joined({ incoming: { afterBytes: at } });
      accepted.link.write([bytes(3)]);
      accepted.link.write([bytes(7)]);
      runtime.run();
      expect(dialed.byteCount).toBe(at);
      expect(dialed.told.at(-1)).toBe("close link was cut");
      expect(accepted.told).toEqual(["close link was reset"]);
    });
  }

  it("breaks behind so many bytes of what it writes: no more arrive", async () => {
    const { runtime, dialed, accepted } = await joined({ outgoing: { afterBytes: 4 } });
    dialed.link.write([bytes(10)]);
    runtime.run();
    expect(accepted.byteCount).toBeLessThanOrEqual(4);
    expect(dialed.told).toEqual(["close link was cut"]);
  });

  it("ends in order behind so many bytes, as a process that is killed looks", async () => {
    const { runtime, dialed, accepted } = await joined({
      outgoing: { afterBytes: 4, fate: "end" },
    });
    expect(dialed.link.write([bytes(10)])).toBe(true);
    runtime.run();
    expect(accepted.text).toBe("00010203");
    expect(accepted.told).toEqual(["data", "end"]);
    expect(dialed.told).toEqual([]);
    accepted.link.end();
    runtime.run();
    expect([dialed.told, accepted.told.at(-1)]).toEqual([["end", "close"], "close"]);
  });

  it("is held behind so many bytes until it is released, once", async () => {
    const { runtime, dialed, dialedLink, accepted } = await joined({
      outgoing: { afterBytes: 2, fate: "hold" },
    });
    dialed.link.write([bytes(5)]);
    runtime.run();
    expect(accepted.text).toBe("0001");
    dialedLink.release("outgoing");
    runtime.run();
    expect(accepted.text).toBe("0001020304");
  });

  it("loses one direction and keeps the other, and nobody is told", async () => {
    const { runtime, dialed, accepted } = await joined({
      outgoing: { afterBytes: 2, fate: "drop" },
    });
    dialed.link.write([bytes(5)]);
    dialed.link.end();
    accepted.link.write([bytes(5)]);
    runtime.run();
    expect([accepted.text, accepted.told]).toEqual(["0001", ["data"]]);
    expect([dialed.byteCount, dialed.told]).toEqual([5, ["data"]]);
  });

  it("is half-open when both ends are in the dark: neither hears of the other's end", async () => {
    const { runtime, dialed, dialedLink, accepted, acceptedLink } = await joined();
    dialedLink.goDark();
    acceptedLink.goDark();
    dialed.link.write([bytes(5)]);
    dialed.link.destroy();
    runtime.run();
    expect([dialed.told, accepted.told]).toEqual([["close"], []]);
    expect(acceptedLink.isDark).toBe(true);
    acceptedLink.cut();
    runtime.run();
    expect(accepted.told).toEqual(["close link was cut"]);
  });

  it("holds up its writer when it is held and full, and tells when there is room", async () => {
    const { runtime, dialed, dialedLink, accepted } = await joined({
      outgoing: { capacityBytes: 4 },
    });
    dialedLink.hold("outgoing");
    expect(dialed.link.write([bytes(3)])).toBe(true);
    expect(dialed.link.write([bytes(3, 3)])).toBe(false);
    expect(dialed.link.bufferedBytes).toBe(2);
    runtime.run();
    expect([dialed.told, accepted.told]).toEqual([[], []]);
    dialedLink.release("outgoing");
    runtime.run();
    expect(dialed.told).toEqual(["drain"]);
    expect(accepted.text).toBe("000102030405");
  });

  it("holds up the other end when what it reads is held", async () => {
    const { runtime, dialedLink, dialed, accepted } = await joined({
      incoming: { capacityBytes: 10 },
    });
    dialedLink.hold("incoming");
    let written = 0;
    while (accepted.link.write([bytes(1000)]) && written < 1_000_000) {
      written += 1000;
      runtime.run();
    }
    expect(written).toBeLessThan(1_000_000);
    dialedLink.release("incoming");
    runtime.run();
    expect(dialed.byteCount).toBe(written + 1000);
    expect(accepted.told).toEqual(["drain"]);
  });

  it("drains late", async () => {
    const { runtime, dialed } = await joined({ drainDelayMs: 7, outgoing: { capacityBytes: 1 } });
    expect(dialed.link.write([bytes(5)])).toBe(false);
    runtime.advance(6);
    expect(dialed.told).toEqual([]);
    runtime.advance(7);
    expect(dialed.told).toEqual(["drain"]);
  });

  it("tells what came before an end in order, however late", async () => {
    const { runtime, dialed, accepted } = await joined({
      incoming: { delayMs: 30, pieceBytes: 1 },
      closeDelayMs: 5,
    });
    accepted.link.write([bytes(3)]);
    accepted.link.end();
    dialed.link.end();
    runtime.advance(29);
    expect([dialed.told, accepted.told]).toEqual([[], ["end", "close"]]);
    runtime.advance(100);
    expect(dialed.told).toEqual(["data", "data", "data", "end", "close"]);
    expect(runtime.timersInMs).toEqual([]);
  });

  it("tells its end twice when it is told to, and of nothing else", async () => {
    const { runtime, dialed } = await joined({ closesTwice: true });
    dialed.link.destroy();
    runtime.run();
    expect(dialed.told).toEqual(["close", "end", "close"]);
  });

  it("leaves no timer when it is destroyed with bytes on their way", async () => {
    const { runtime, dialed, accepted, transport } = await joined({
      incoming: { delayMs: 50 },
      outgoing: { delayMs: 50, capacityBytes: 1 },
      drainDelayMs: 50,
    });
    accepted.link.write([bytes(3)]);
    dialed.link.write([bytes(3)]);
    runtime.run();
    dialed.link.destroy();
    runtime.run();
    expect(runtime.timersInMs).toEqual([]);
    expect(dialed.told).toEqual(["close"]);
    expect(transport.links).toEqual([]);
  });

  it("breaks when it is started if it was cut before", async () => {
    const { transport, runtime } = transportOf({});
    const handlers = { onError: () => undefined, onRefused: () => undefined };
    await transport.listen("here", { ...handlers, onLink: () => undefined });
    const link = await transport.dial("here", never);
    transport.links.at(-1)?.cut();
    const ear = new Ear(link);
    runtime.run();
    expect(ear.told).toEqual(["close link was cut"]);
  });
});

describe("dialing with faults", () => {
  it("fails when it is told to, and is counted", async () => {
    const { transport } = transportOf({
      dialFaults: (number) => (number === 0 ? { fate: "fail" } : undefined),
    });
    await expect(transport.dial("here", never)).rejects.toMatchObject({ code: "MSG_DIAL_FAILED" });
    await expect(transport.dial("here", never)).rejects.toThrow("nobody is at here");
    expect(transport.dialCount).toBe(2);
  });

  it("hangs until it is aborted, and leaves nothing behind", async () => {
    for (const fault of [{ fate: "hang" as const }, { delayMs: 1_000 }]) {
      const { transport, runtime } = transportOf({ dialFaults: () => fault });
      const abort = new AbortController();
      const dialing = transport.dial("here", abort.signal);
      abort.abort(new Error("no more"));
      await expect(dialing).rejects.toMatchObject({
        code: "MSG_DIAL_FAILED",
        cause: new Error("no more"),
      });
      expect(runtime.timersInMs).toEqual([]);
    }
  });
});

describe("seeded faults", () => {
  const mix: FaultMix = { reset: 0.4, hold: 0.2, drop: 0.2, end: 0.2, delay: 0.5, dialFails: 0.3 };

  it("are the same for the same seed and number, in whatever order they are asked for", () => {
    const some = seededFaults(7, mix);
    const others = seededFaults(7, mix);
    const shown = (number: number, faults = some.faults) =>
      JSON.stringify(faults(number, "dialed"));
    const forwards = [0, 1, 2, 3].map((number) => shown(number));
    expect([3, 2, 1, 0].map((number) => shown(number, others.faults)).toReversed()).toEqual(
      forwards,
    );
    expect(new Set(forwards).size).toBeGreaterThan(1);
    expect(some.dialFaults(5, "")).toEqual(others.dialFaults(5, ""));
  });

  it("come as often as they are asked for", () => {
    const { faults, dialFaults } = seededFaults(3, mix);
    let resets = 0;
    let failures = 0;
    for (let number = 0; number < 2_000; number++) {
      const { incoming } = faults(number, "dialed") ?? {};
      if (incoming?.fate !== undefined) resets++;
      if (dialFaults(number, "")?.fate === "fail") failures++;
    }
    expect(resets / 2_000).toBeCloseTo(1 - 0.6 * 0.8 ** 3, 1);
    expect(failures / 2_000).toBeCloseTo(0.3, 1);
    expect(seededFaults(3, {}).faults(0, "dialed")).toEqual({
      outgoing: {},
      incoming: {},
      closesTwice: false,
    });
  });
});
