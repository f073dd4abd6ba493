import { bytes, joinBytes, naiveEncode } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { Decompressor } from "../../src/contracts/compressor.ts";
import { Compression } from "../../src/wire/compression.ts";
import { maxBacklogFrames, maxDecompressions } from "../../src/wire/msg/payload-reader.ts";
import { openStream } from "./decode-stream.ts";
import { HeldDecompressor, overLimit } from "./held-decompressor.ts";
import type { ReadingType } from "./reader-scene.ts";
import { frameFor, reading } from "./reader-scene.ts";

const ordered: readonly ReadingType[] = ["REP", "SUB", "PULL"];
const unknownId = 6;

/** Id 4: doubles each byte, at once. */
const doubling: Decompressor = {
  id: 4,
  name: "doubling",
  decompress(payload, maxBytes) {
    if (payload.length * 2 > maxBytes) throw overLimit();
    return Uint8Array.from({ length: payload.length * 2 }, (_, i) => payload[i >> 1] ?? 0);
  },
};

/** Compressed by the held decompressor. */
const held = 5;

/** With so low a limit every payload is taken for large. */
const allLarge = { maxMessageBytes: 10_000 } as const;

for (const type of ordered) {
  describe(`payloads that a ${type} has to decompress`, () => {
    it("are decompressed four at once, and told in the order they came in", async () => {
      const decompressor = new HeldDecompressor();
      const scene = await reading(type, [decompressor], allLarge);
      await scene.send(...[0, 1, 2, 3, 4].map((number) => frameFor(type, number, "aa", held)));
      expect(decompressor.underWay).toBe(4);
      for (const index of [3, 1, 2]) decompressor.call(index).finish(bytes(`0${index}`));
      await scene.runtime.settle();
      expect(scene.told).toEqual([]);
      decompressor.call(0).finish(bytes("00"));
      await scene.runtime.settle();
      expect(scene.told).toEqual(["0=00", "1=01", "2=02", "3=03"]);
    });

    it("are decompressed 64 at once when they are small, and told in their order", async () => {
      const decompressor = new HeldDecompressor();
      const scene = await reading(type, [decompressor]);
      const numbers = Array.from({ length: 70 }, (_, number) => number);
      await scene.send(...numbers.map((number) => frameFor(type, number, "aa", held)));
      expect([decompressor.underWay, maxDecompressions]).toEqual([64, 64]);
      for (const call of decompressor.calls.toReversed()) call.finish(bytes("a1"));
      await scene.runtime.settle();
      expect(decompressor.underWay).toBe(6);
      for (const call of decompressor.calls.slice(64)) call.finish(bytes("a1"));
      await scene.runtime.settle();
      expect(scene.told).toEqual(numbers.map((number) => `${number}=a1`));
    });

    it("keep plain ones behind them waiting, and no longer than that", async () => {
      const decompressor = new HeldDecompressor();
      const scene = await reading(type, [decompressor]);
      await scene.send(
        frameFor(type, 0, "aa"),
        frameFor(type, 1, "bb", held),
        frameFor(type, 2, "cc"),
      );
      expect(scene.told).toEqual(["0=aa"]);
      await scene.send(frameFor(type, 3, "dd"));
      decompressor.call(0).finish(bytes("b1"));
      await scene.runtime.settle();
      await scene.send(frameFor(type, 4, "ee"));
      expect(scene.told).toEqual(["0=aa", "1=b1", "2=cc", "3=dd", "4=ee"]);
    });

    it("keep those behind them waiting that are undone at once", async () => {
      const decompressor = new HeldDecompressor();
      const scene = await reading(type, [decompressor, doubling]);
      await scene.send(frameFor(type, 0, "aa", held), frameFor(type, 1, "bb", doubling.id));
      expect(scene.told).toEqual([]);
      decompressor.call(0).finish(bytes("a1"));
      await scene.runtime.settle();
      expect(scene.told).toEqual(["0=a1", "1=bbbb"]);
    });

    it("fail alone, each in its turn: later, at once, by an unknown id", async () => {
      const decompressor = new HeldDecompressor();
      const scene = await reading(type, [decompressor, doubling]);
      await scene.send(
        frameFor(type, 0, "aa", held),
        frameFor(type, 1, "bb", held),
        frameFor(type, 2, "cc", unknownId),
        frameFor(type, 3, "", doubling.id),
        frameFor(type, 4, "dd", held),
      );
      const broken = new Error("broken");
      decompressor.call(1).fail(broken);
      decompressor.call(2).finish(bytes("d1"));
      await scene.runtime.settle();
      expect(scene.told).toEqual([]);
      decompressor.call(0).finish(bytes("a1"));
      await scene.runtime.settle();
      expect(scene.told).toEqual(["0=a1", "1!", "2!", "3!", "4=d1"]);
      expect(scene.end.recording.errors).toMatchObject([
        { code: "MSG_DECOMPRESS_FAILED", cause: broken },
        { code: "MSG_UNKNOWN_COMPRESSION" },
        { code: "MSG_DECOMPRESS_FAILED" },
      ]);
      expect(scene.connection.phase).toBe("ready");
    });
  });
}

/** What a decompressor in JavaScript may give. */
const nothings: readonly (readonly [string, unknown])[] = [
  ["at once", undefined],
  ["later", Promise.resolve(undefined)],
  ["in a promise", Promise.resolve("text")],
];

describe("a decompressor that gives no bytes", () => {
  for (const [when, nothing] of nothings) {
    it(`${when} costs that one payload`, async () => {
      const broken = { id: held, name: "none", decompress: () => nothing } as Decompressor;
      const scene = await reading("REP", [broken]);
      await scene.send(frameFor("REP", 0, "aa", held), frameFor("REP", 1, "bb"));
      expect(scene.told).toEqual(["0!", "1=bb"]);
      expect(scene.end.recording.errors).toMatchObject([{ code: "MSG_DECOMPRESS_FAILED" }]);
    });
  }
});

describe("a SUB that has a payload to decompress", () => {
  it("hears marks, acknowledged subscriptions and goodbyes behind it, in their order", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("SUB", [decompressor]);
    await scene.send(
      frameFor("SUB", 0, "aa", held),
      { type: "mark", sequence: 1 },
      frameFor("SUB", 1, "bb", held),
      { type: "subscribed", topic: "t", sequence: 2 },
      { type: "publisher drains", sequence: 2 },
    );
    decompressor.call(1).finish(bytes("b1"));
    await scene.runtime.settle();
    expect(scene.told).toEqual([]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect(scene.told).toEqual(["0=a1", "mark 1", "1=b1", "subscribed t", "publisher drains 2"]);
  });
});

describe("a REP that has a payload to decompress", () => {
  it("is told of those behind it whether they were compressed", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor, doubling]);
    const flags: boolean[] = [];
    scene.end.recording.sink.onRequest = (_id, _payload, flag) => void flags.push(flag);
    await scene.send(
      frameFor("REP", 0, "aa", held),
      frameFor("REP", 1, "aa", doubling.id),
      frameFor("REP", 2, "aa"),
    );
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect(flags).toEqual([true, true, false]);
  });
});

describe("a REQ that has replies to decompress", () => {
  it("hears each as soon as it is there, and what needs none at once", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REQ", [decompressor, doubling]);
    await scene.send(
      frameFor("REQ", 1, "aa", held),
      frameFor("REQ", 2, "bb", held),
      frameFor("REQ", 3, "cc"),
      frameFor("REQ", 4, "dd", doubling.id),
      { type: "error reply", id: 5, code: "NOT_FOUND", message: "no" },
      { type: "error reply", id: 6, code: "MSG_DRAINING", message: "" },
      { type: "error reply", id: 0xffff_ffff, code: "MSG_DRAINING", message: "" },
    );
    const atOnce = ["3=cc", "4=dddd", "NOT_FOUND 5", "MSG_DRAINING 6", "MSG_DRAINING 4294967295"];
    expect(scene.told).toEqual(atOnce);
    decompressor.call(1).finish(bytes("b1"));
    await scene.runtime.settle();
    decompressor.call(0).fail(new Error("broken"));
    await scene.runtime.settle();
    expect(scene.told).toEqual([...atOnce, "2=b1", "1!"]);
  });

  it("decompresses at most four at once, and reads on when one is done", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REQ", [decompressor], allLarge);
    await scene.send(...[1, 2, 3, 4, 5].map((id) => frameFor("REQ", id, "aa", held)));
    expect([decompressor.calls.length, scene.end.link.readingChanges]).toEqual([4, [false]]);
    decompressor.call(2).finish(bytes("c1"));
    await scene.runtime.settle();
    expect([decompressor.calls.length, scene.told]).toEqual([5, ["3=c1"]]);
  });

  it("hears that the peer ended only when all are told", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REQ", [decompressor]);
    await scene.send(frameFor("REQ", 1, "aa", held), frameFor("REQ", 2, "bb", held));
    scene.peer.link.end();
    await scene.runtime.settle();
    decompressor.call(1).finish(bytes("b1"));
    await scene.runtime.settle();
    expect(scene.end.events).toEqual(["ready"]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([scene.told, scene.end.events]).toEqual([
      ["2=b1", "1=a1"],
      ["ready", "peer ended"],
    ]);
  });
});

describe("reading from the link", () => {
  it("goes on while fewer than four payloads are decompressed", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], allLarge);
    for (const id of [1, 2, 3]) await scene.send(frameFor("REP", id, "aa", held));
    expect(scene.end.link.readingChanges).toEqual([]);
  });

  it("stops with the fourth, and goes on when one before all others is done", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], allLarge);
    await scene.send(...[1, 2, 3, 4, 5].map((id) => frameFor("REP", id, "aa", held)));
    expect([decompressor.calls.length, scene.end.link.readingChanges]).toEqual([4, [false]]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([decompressor.calls.length, scene.told]).toEqual([5, ["1=a1"]]);
    expect(scene.connection.isOpen).toBe(false);
    for (const index of [1, 2, 3, 4]) decompressor.call(index).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([scene.told.length, scene.connection.isOpen]).toEqual([5, true]);
    expect(scene.end.link.readingChanges.at(-1)).toBe(true);
  });

  it("goes on when one behind others is done, which waits its turn", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], allLarge);
    await scene.send(...[1, 2, 3, 4, 5].map((id) => frameFor("REP", id, "aa", held)));
    decompressor.call(3).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([decompressor.calls.length, decompressor.underWay, scene.told]).toEqual([5, 4, []]);
  });

  it("stops with one that is large among small ones when three that are large may be under way", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    const large = new Uint8Array(10_000);
    const frames = [large, large, "aa", "bb", large, "cc"];
    await scene.send(...frames.map((payload, id) => frameFor("REP", id, payload, held)));
    expect([decompressor.calls.length, scene.connection.isOpen]).toEqual([5, false]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    // The second is the first now, and not counted.
    expect([decompressor.calls.length, scene.connection.isOpen]).toEqual([6, true]);
  });

  it("stops with a quarter of maxMessageBytes waiting, and goes on when they are told", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes: 1_000 });
    const small = new Uint8Array(50);
    await scene.send(frameFor("REP", 0, small, held), frameFor("REP", 1, new Uint8Array(199)));
    expect(scene.connection.isOpen).toBe(true);
    await scene.send(frameFor("REP", 2, "00"), frameFor("REP", 3, "00"));
    expect([scene.connection.isOpen, scene.connection.undecodedBytes]).toEqual([false, 11]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([scene.told.length, scene.connection.isOpen]).toEqual([4, true]);
  });

  it("stops when what is done and waits has a quarter of maxMessageBytes", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes: 1_000 });
    await scene.send(frameFor("REP", 0, "aa", held), frameFor("REP", 1, "bb", held));
    decompressor.call(1).finish(new Uint8Array(249));
    await scene.runtime.settle();
    expect(scene.connection.isOpen).toBe(false);
    decompressor.call(0).finish(new Uint8Array(1_000));
    await scene.runtime.settle();
    expect([scene.told.length, scene.connection.isOpen]).toEqual([2, true]);
  });

  it("stops with 1,024 frames waiting, however small they are", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("SUB", [decompressor]);
    const marks = Array.from({ length: 1_100 }, () => ({ type: "mark", sequence: 1 }) as const);
    await scene.send(frameFor("SUB", 0, "aa", held), ...marks);
    expect(maxBacklogFrames).toBe(1_024);
    const markBytes = naiveEncode({ type: "mark", sequence: 1 }).length;
    expect(scene.connection.undecodedBytes).toBe((marks.length - 1_023) * markBytes);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([scene.told.length, scene.connection.isOpen]).toEqual([marks.length + 1, true]);
  });

  it("stops for topics that wait too", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("SUB", [decompressor], { maxMessageBytes: 200_000 });
    const topics = ["a", "b"].map((letter) => letter.repeat(30_000));
    await scene.send(
      frameFor("SUB", 0, "aa", held),
      ...topics.map((topic) => ({ type: "subscribed", topic, sequence: 1 }) as const),
    );
    expect(scene.connection.isOpen).toBe(false);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([scene.told.length, scene.connection.isOpen]).toEqual([3, true]);
  });
});

describe("the limit of a payload that is decompressed", () => {
  const maxMessageBytes = 1_003;
  const quarter = 250;

  it("is maxMessageBytes for the first, and a quarter for each that starts behind it", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes });
    await scene.send(...[0, 1, 2].map((id) => frameFor("REP", id, "aa", held)));
    expect(decompressor.calls.map((call) => call.maxBytes)).toEqual([1_003, quarter, quarter]);
    decompressor.finishAll(bytes("a1"));
    await scene.runtime.settle();
    await scene.send(frameFor("REP", 3, "aa", held));
    expect(decompressor.call(3).maxBytes).toBe(1_003);
  });

  it("is a thousandth for one that is small as it comes; more in a second attempt", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes: 1_024 * 1_024 });
    const payloads = ["aa", new Uint8Array(64), new Uint8Array(65)];
    await scene.send(...payloads.map((payload, id) => frameFor("REP", id, payload, held)));
    const limits = (): number[] => decompressor.calls.map((call) => call.maxBytes);
    expect(limits()).toEqual([1_048_576, 1_024, 262_144]);
    decompressor.call(1).fail(overLimit());
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect(limits().slice(3)).toEqual([1_048_576]);
    decompressor.call(3).finish(bytes("b1"));
    decompressor.call(2).finish(bytes("c1"));
    await scene.runtime.settle();
    expect([scene.told, scene.connection.isOpen]).toEqual([["0=a1", "1=b1", "2=c1"], true]);
  });

  it("is maxMessageBytes in a second attempt, once it is the first", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes });
    await scene.send(...[0, 1, 2].map((id) => frameFor("REP", id, `0${id}`, held)));
    decompressor.call(1).fail(overLimit());
    decompressor.call(2).fail(overLimit());
    await scene.runtime.settle();
    expect(decompressor.calls.length).toBe(3);
    decompressor.call(0).finish(bytes("a0"));
    await scene.runtime.settle();
    expect(decompressor.calls.slice(3)).toMatchObject([{ payload: "01", maxBytes: 1_003 }]);
    decompressor.call(3).finish(new Uint8Array(3));
    await scene.runtime.settle();
    expect(decompressor.calls.slice(4)).toMatchObject([{ payload: "02", maxBytes: 1_003 }]);
    decompressor.call(4).fail(overLimit());
    await scene.runtime.settle();
    expect(scene.told).toEqual(["0=a0", "1=000000", "2!"]);
    expect(scene.end.recording.errors).toMatchObject([{ code: "MSG_PAYLOAD_TOO_LARGE" }]);
    expect([decompressor.calls.length, scene.connection.isOpen]).toEqual([5, true]);
  });

  it("is so at once when it has become the first in the meantime", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes });
    await scene.send(frameFor("REP", 0, "aa", held), frameFor("REP", 1, "bb", held));
    decompressor.call(0).finish(bytes("a0"));
    await scene.runtime.settle();
    decompressor.call(1).fail(overLimit());
    await scene.runtime.settle();
    expect(decompressor.calls.slice(2)).toMatchObject([{ payload: "bb", maxBytes: 1_003 }]);
    decompressor.call(2).finish(bytes("b0"));
    await scene.runtime.settle();
    expect(scene.told).toEqual(["0=a0", "1=b0"]);
  });

  it("counts one that waits for its second attempt among the four", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes });
    await scene.send(...[0, 1, 2, 3, 4].map((id) => frameFor("REP", id, "aa", held)));
    decompressor.call(2).fail(overLimit());
    await scene.runtime.settle();
    expect([decompressor.calls.length, decompressor.underWay]).toEqual([4, 3]);
  });

  it("is not tried twice for the first: it had all of it", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes });
    await scene.send(frameFor("REP", 0, "aa", held));
    decompressor.call(0).fail(overLimit());
    await scene.runtime.settle();
    expect([decompressor.calls.length, scene.told]).toEqual([1, ["0!"]]);
  });

  it("is a quarter for one that is undone at once behind another, then all of it", async () => {
    const limits: number[] = [];
    const decompressor = new HeldDecompressor();
    const decompress: Decompressor["decompress"] = (payload, maxBytes) => {
      limits.push(maxBytes);
      return doubling.decompress(payload, maxBytes);
    };
    const watched = { ...doubling, decompress };
    const scene = await reading("REP", [decompressor, watched], { maxMessageBytes });
    await scene.send(
      frameFor("REP", 0, "aa", held),
      frameFor("REP", 1, new Uint8Array(126), doubling.id),
      frameFor("REP", 2, "bb", doubling.id),
    );
    expect(limits).toEqual([quarter, quarter]);
    decompressor.call(0).finish(bytes("a0"));
    await scene.runtime.settle();
    expect(limits).toEqual([quarter, quarter, 1_003]);
    expect(scene.told).toEqual(["0=a0", `1=${"00".repeat(252)}`, "2=bbbb"]);
  });

  it("may be so small that a quarter of it is nothing", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor], { maxMessageBytes: 2 });
    await scene.send(frameFor("REP", 0, "aa", held), frameFor("REP", 1, "bb", held));
    expect(decompressor.calls).toMatchObject([{ payload: "aa", maxBytes: 2 }]);
    decompressor.call(0).finish(bytes("a0"));
    await scene.runtime.settle();
    expect(decompressor.call(1).maxBytes).toBe(2);
  });
});

describe("the end of the input", () => {
  it("is told behind all that were decompressed, and what waited for them", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    await scene.send(
      frameFor("REP", 0, "aa", held),
      frameFor("REP", 1, "bb", held),
      frameFor("REP", 2, "cc"),
    );
    scene.peer.link.end();
    await scene.runtime.settle();
    decompressor.call(1).finish(bytes("b1"));
    await scene.runtime.settle();
    expect([scene.told, scene.end.events]).toEqual([[], ["ready"]]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect(scene.told).toEqual(["0=a1", "1=b1", "2=cc"]);
    expect(scene.end.events).toEqual(["ready", "peer ended"]);
  });

  it("is told behind those that came while four were decompressed", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    await scene.send(...[0, 1, 2, 3, 4, 5].map((id) => frameFor("REP", id, "aa", held)));
    scene.peer.link.end();
    await scene.runtime.settle();
    for (let index = 0; index < 6; index++) {
      expect(scene.end.events).toEqual(["ready"]);
      decompressor.call(index).finish(bytes("a1"));
      await scene.runtime.settle();
    }
    expect([scene.told.length, scene.end.events]).toEqual([6, ["ready", "peer ended"]]);
  });

  it("within a frame closes the connection behind them", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    await scene.send(frameFor("REP", 0, "aa", held));
    scene.peer.send("0200");
    scene.peer.link.end();
    await scene.runtime.settle();
    expect(scene.connection.phase).toBe("ready");
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.settle();
    expect([scene.told, scene.connection.phase]).toEqual([["0=a1"], "closed"]);
    expect(scene.end.reason).toMatchObject({
      code: "MSG_PROTOCOL",
      message: "peer ended 2 bytes into a frame",
    });
  });

  it("by a violation comes behind them too, and nothing is read behind it", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    await scene.send(frameFor("REP", 0, "aa", held), frameFor("REP", 1, "bb"));
    scene.peer.send("99");
    await scene.send(frameFor("REP", 2, "cc"));
    expect([scene.told, scene.connection.phase]).toEqual([[], "ready"]);
    decompressor.call(0).finish(bytes("a1"));
    await scene.runtime.pass(1_000);
    expect([scene.told, scene.connection.phase]).toEqual([["0=a1", "1=bb"], "closed"]);
    expect(scene.end.reason).toMatchObject({ code: "MSG_PROTOCOL" });
  });
});

/** A REP that decompresses two requests, with a plain one behind them. */
async function withTwoUnderWay() {
  const decompressor = new HeldDecompressor();
  const scene = await reading("REP", [decompressor]);
  await scene.send(
    frameFor("REP", 0, "aa", held),
    frameFor("REP", 1, "bb", held),
    frameFor("REP", 2, "cc"),
  );
  return { ...scene, scene, decompressor };
}

describe("a connection that ends while payloads are decompressed", () => {
  it("by destroy() tells none of them", async () => {
    const { scene, connection, runtime, decompressor } = await withTwoUnderWay();
    connection.destroy();
    decompressor.call(0).finish(bytes("a1"));
    decompressor.call(1).fail(new Error("broken"));
    await runtime.settle();
    expect([scene.told, scene.end.events]).toEqual([[], ["ready", "closed"]]);
    expect(scene.end.reason).toBeUndefined();
  });

  it("by close() tells none of them", async () => {
    const { scene, connection, runtime, decompressor } = await withTwoUnderWay();
    connection.close(100);
    decompressor.call(1).finish(bytes("b1"));
    decompressor.call(0).finish(bytes("a1"));
    await runtime.pass(100);
    expect([scene.told, scene.end.events]).toEqual([[], ["ready", "closed"]]);
  });

  it("by what a sink throws tells none behind that, and says why", async () => {
    const { scene, runtime, decompressor } = await withTwoUnderWay();
    const cause = new Error("sink");
    const told: number[] = [];
    scene.end.recording.sink.onRequest = (id) => {
      told.push(id);
      throw cause;
    };
    decompressor.call(1).finish(bytes("b1"));
    decompressor.call(0).finish(bytes("a1"));
    await runtime.pass(1_000);
    expect([told, scene.end.reason]).toMatchObject([[0], { code: "MSG_PROTOCOL", cause }]);
  });

  it("because its link breaks tells all: they had come", async () => {
    const { scene, runtime, decompressor } = await withTwoUnderWay();
    decompressor.call(0).finish(bytes("a1"));
    await runtime.settle();
    scene.end.link.cut();
    await runtime.settle();
    expect([scene.told, scene.end.events]).toEqual([["0=a1"], ["ready", "closed"]]);
    decompressor.call(1).finish(bytes("b1"));
    await runtime.settle();
    expect(scene.told).toEqual(["0=a1", "1=b1", "2=cc"]);
  });

  it("releases every hold on the gate", () => {
    const decompressor = new HeldDecompressor();
    const compression = new Compression(undefined, 0, [decompressor]);
    const { gate, assembler, frames } = openStream("REP", { compression, ...allLarge });
    const stream = [0, 1, 2, 3].map((id) => naiveEncode(frameFor("REP", id, "aa", held)));
    assembler.push(joinBytes(stream));
    expect(gate.holds).toBe(1);
    gate.backlog?.drop();
    expect([gate.holds, frames]).toEqual([0, []]);
  });
});

describe("a sink that closes the gate", () => {
  it("is told no more of what waits until it opens, then the rest", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    const { sink } = scene.end.recording;
    const tell = sink.onRequest.bind(sink);
    sink.onRequest = (id, payload, wasCompressed) => {
      tell(id, payload, wasCompressed);
      scene.connection.hold();
    };
    const ids = [0, 1, 2, 3, 4, 5];
    await scene.send(...ids.map((id) => frameFor("REP", id, "aa", id === 1 || id > 3 ? 0 : held)));
    for (const index of [3, 2, 1, 0]) {
      decompressor.calls[index]?.finish(bytes("a1"));
      await scene.runtime.settle();
    }
    for (const id of ids) {
      expect(scene.told.length).toBe(id + 1);
      scene.connection.release();
      await scene.runtime.settle();
    }
    expect(scene.told).toEqual(["0=a1", "1=aa", "2=a1", "3=a1", "4=aa", "5=aa"]);
    expect(scene.connection.isOpen).toBe(true);
  });

  it("while as much waits as may is told it all the same when it opens", async () => {
    const decompressor = new HeldDecompressor();
    const scene = await reading("REP", [decompressor]);
    await scene.send(...[0, 1, 2, 3].map((id) => frameFor("REP", id, "aa", held)));
    scene.connection.hold();
    decompressor.finishAll(bytes("a1"));
    await scene.runtime.settle();
    expect(scene.told).toEqual([]);
    scene.connection.release();
    await scene.runtime.settle();
    expect([scene.told.length, scene.connection.isOpen]).toEqual([4, true]);
  });
});
