import { MsgError } from "@msg-ts/core";
import type { MemoryLink, MemoryLinkOptions } from "@msg-ts/testing";
import { bytes, hex, joinBytes, memoryLinks, SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";

/** What the handlers of a link were told. */
function listen(link: MemoryLink) {
  const told: string[] = [];
  const chunks: Uint8Array[] = [];
  link.start({
    onData: (chunk) => {
      told.push(hex(chunk));
      chunks.push(chunk);
    },
    onDrain: () => told.push("drain"),
    onEnd: () => told.push("end"),
    onClose: (reason) => told.push(reason === undefined ? "close" : `close ${reason.message}`),
  });
  return { told, chunks };
}

function linked(options: Partial<MemoryLinkOptions> = {}) {
  const runtime = new SimulatedRuntime();
  const { dialed, accepted } = memoryLinks({ runtime, ...options });
  return { runtime, dialed, accepted, left: listen(dialed), right: listen(accepted) };
}

describe("a link in memory", () => {
  it("moves bytes both ways, in a turn of their own", () => {
    const { runtime, dialed, accepted, left, right } = linked();
    expect(dialed.write([bytes("01"), bytes("0203")])).toBe(true);
    accepted.write([bytes("ff")]);
    expect(right.told).toEqual([]);
    runtime.run();
    expect(right.told).toEqual(["010203"]);
    expect(left.told).toEqual(["ff"]);
    expect(dialed.writes.map((chunks) => chunks.map(hex))).toEqual([["01", "0203"]]);
    expect(hex(dialed.writtenBytes)).toBe("010203");
  });

  it("cuts what it moves into pieces of a given length, one for each turn", () => {
    const { runtime, dialed, right } = linked({ pieceBytes: 2 });
    dialed.write([bytes("0102030405")]);
    runtime.runTurn();
    expect(right.told).toEqual(["0102"]);
    runtime.run();
    expect(right.told).toEqual(["0102", "0304", "05"]);
  });

  it("keeps what comes before start until then", () => {
    const runtime = new SimulatedRuntime();
    const { dialed, accepted } = memoryLinks({ runtime });
    listen(dialed);
    dialed.write([bytes("01")]);
    runtime.run();
    const { told } = listen(accepted);
    runtime.run();
    expect(told).toEqual(["01"]);
  });

  it("stops and goes on as setReading says", () => {
    const { runtime, dialed, accepted, right } = linked();
    accepted.setReading(false);
    dialed.write([bytes("01")]);
    runtime.run();
    expect(right.told).toEqual([]);
    accepted.setReading(true);
    runtime.run();
    expect(right.told).toEqual(["01"]);
    expect(accepted.readingChanges).toEqual([false, true]);
  });

  it("takes as much as its capacity, reads the rest late, and drains once it has all", () => {
    const { runtime, dialed, accepted, left, right } = linked({ capacityBytes: 2 });
    accepted.setReading(false);
    const chunk = bytes("01020304");
    expect(dialed.write([chunk])).toBe(false);
    expect(dialed.bufferedBytes).toBe(2);
    // Against the contract, to see that it is read late.
    chunk.fill(0xee);
    accepted.setReading(true);
    runtime.run();
    expect(right.told.join("")).toBe("0102eeee");
    expect(left.told).toEqual(["drain"]);
    expect(dialed.bufferedBytes).toBe(0);
  });

  it("takes nothing while it is held", () => {
    const { runtime, dialed, left, right } = linked();
    dialed.hold();
    expect(dialed.write([bytes("01")])).toBe(false);
    runtime.run();
    expect(right.told).toEqual([]);
    dialed.unhold();
    runtime.run();
    expect(right.told).toEqual(["01"]);
    expect(left.told).toEqual(["drain"]);
  });

  it("takes and loses everything once it drops", () => {
    const { runtime, dialed, right } = linked();
    dialed.drop();
    expect(dialed.write([bytes("01")])).toBe(true);
    runtime.run();
    expect(right.told).toEqual([]);
  });

  it("puts bytes where it is told, and spoils what it is offered", () => {
    const runtime = new SimulatedRuntime();
    const { dialed, accepted } = memoryLinks({ runtime });
    dialed.start({ onData() {}, onDrain() {}, onEnd() {}, onClose() {} });
    const offered = Buffer.alloc(3);
    const told: string[] = [];
    accepted.start({
      onData: (chunk) => told.push(hex(chunk)),
      nextBuffer: () => offered,
      onDrain() {},
      onEnd() {},
      onClose() {},
    });
    dialed.write([bytes("0102030405")]);
    runtime.run();
    expect(told).toEqual(["010203", "0405"]);
    expect(hex(offered)).toBe("dddddd");
  });

  it("gives Buffers with memory of their own", () => {
    const { runtime, dialed, right } = linked();
    const chunk = bytes("0102");
    dialed.write([chunk]);
    runtime.run();
    chunk.fill(0);
    expect(right.chunks.map(hex)).toEqual(["0102"]);
    expect(Buffer.isBuffer(right.chunks[0])).toBe(true);
    expect(right.chunks[0]?.buffer.byteLength).toBe(2);
  });

  it("moves many bytes in small pieces in a reasonable time", () => {
    const { runtime, dialed, right } = linked({ pieceBytes: 1, capacityBytes: Infinity });
    dialed.write([new Uint8Array(50_000)]);
    runtime.run();
    expect(joinBytes(right.chunks).length).toBe(50_000);
  });
});

describe("the end of a link in memory", () => {
  it("comes behind the last byte, also while reading is stopped, and leaves the other way open", () => {
    const { runtime, dialed, accepted, left, right } = linked();
    dialed.write([bytes("01")]);
    dialed.end();
    dialed.write([bytes("02")]);
    runtime.run();
    expect(right.told).toEqual(["01", "end"]);
    accepted.write([bytes("03")]);
    accepted.end();
    runtime.run();
    expect(right.told).toEqual(["01", "end", "close"]);
    expect(left.told).toEqual(["03", "end", "close"]);
    expect(dialed.isClosed).toBe(true);
  });

  it("waits for what is held", () => {
    const { runtime, dialed, right } = linked();
    dialed.hold();
    dialed.write([bytes("01")]);
    dialed.end();
    runtime.run();
    expect(right.told).toEqual([]);
    dialed.unhold();
    runtime.run();
    expect(right.told).toEqual(["01", "end"]);
  });

  it("by destroy is a close here and a reset there; what was under way is lost", () => {
    const { runtime, dialed, left, right } = linked();
    dialed.write([bytes("01")]);
    dialed.destroy();
    dialed.destroy();
    expect(left.told).toEqual([]);
    runtime.run();
    expect(left.told).toEqual(["close"]);
    expect(right.told).toEqual(["close link was reset"]);
  });

  it("by cut is told to both with the reason", () => {
    const { runtime, dialed, left, right } = linked();
    dialed.cut(new MsgError("MSG_PEER_LOST", "cable"));
    runtime.run();
    expect(left.told).toEqual(["close cable"]);
    expect(right.told).toEqual(["close cable"]);
  });

  it("before start is told at start", () => {
    const runtime = new SimulatedRuntime();
    const { dialed, accepted } = memoryLinks({ runtime });
    listen(dialed);
    dialed.destroy();
    runtime.run();
    const { told } = listen(accepted);
    runtime.run();
    expect(told).toEqual(["close link was reset"]);
  });

  it("makes every later call do nothing", () => {
    const { runtime, dialed, left } = linked();
    dialed.destroy();
    runtime.run();
    expect(dialed.write([bytes("01")])).toBe(true);
    dialed.setReading(true);
    dialed.end();
    dialed.destroy();
    runtime.run();
    expect(left.told).toEqual(["close"]);
    expect(dialed.writes).toEqual([]);
  });
});

describe("a link in memory that was not started", () => {
  it("refuses all calls but destroy, as a real one may fail at them", () => {
    const { dialed } = memoryLinks({ runtime: new SimulatedRuntime() });
    expect(() => dialed.write([bytes("01")])).toThrow("before start");
    expect(() => dialed.setReading(false)).toThrow("before start");
    expect(() => dialed.end()).toThrow("before start");
    expect(() => dialed.destroy()).not.toThrow();
  });

  it("refuses to be started twice", () => {
    const { dialed } = linked();
    expect(() => listen(dialed)).toThrow("start was called before");
  });
});
