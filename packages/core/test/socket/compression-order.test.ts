import { bytes, hex } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { Compressor } from "../../src/contracts/compressor.ts";
import { HeldDecompressor } from "../wire/held-decompressor.ts";
import { HeldCompressor } from "./held-compressor.ts";
import { flowHex, jobHex, rawPush, Rig, turns } from "./push-pull/push-pull-rig.ts";
import { Outcome, record, Scene } from "./scene.ts";

const lateFirst = [3, 1, 2, 0];

describe("a PUB whose compressor works at several messages", () => {
  it("sends them in the order of publish(), whichever is done first", async () => {
    const compressor = new HeldCompressor();
    const scene = new Scene();
    const pub = scene.pub({ compressor, minCompressBytes: 2, heartbeatMs: Infinity });
    await pub.bind("here");
    const end = await scene.rawDial();
    end.subscribe("a");
    await scene.settle();
    const outcomes = [0, 1, 2, 3].map((number) => {
      return new Outcome(pub.publish("a", new Uint8Array(5).fill(number)) as Promise<void>);
    });
    const plain = new Outcome(pub.publish("a", "x") as Promise<void>);
    expect(compressor.compressing.underWay).toBe(4);
    for (const number of lateFirst) {
      expect(end.frames("SUB")).toEqual([]);
      compressor.compressing.call(number).finish(Uint8Array.of(number));
      await scene.settle();
    }
    expect(end.frames("SUB").map((frame) => "payload" in frame && hex(frame.payload))).toEqual([
      "00",
      "01",
      "02",
      "03",
      "78",
    ]);
    expect([...outcomes, plain].map((outcome) => outcome.isSettled)).toEqual(Array(5).fill(true));
  });
});

describe("a PUSH whose compressor works at several jobs", () => {
  it("sends them in the order of send(), whichever is done first", async () => {
    const compressor = new HeldCompressor();
    const rig = await Rig.start({ compressor, minCompressBytes: 2 });
    const pull = await rig.rawPull();
    pull.write(flowHex("window", 0, 100));
    await turns();
    const sends = [0, 1, 2, 3].map((number) => rig.push.send(new Uint8Array(5).fill(number)));
    sends.push(rig.push.send("x"));
    expect(compressor.compressing.underWay).toBe(4);
    for (const number of lateFirst) {
      expect(pull.hex).toBe("");
      compressor.compressing.call(number).finish(Uint8Array.of(0x61 + number));
      await turns();
    }
    for (const sending of sends) await sending;
    const compressed = ["a", "b", "c", "d"].map((letter, sequence) => {
      return jobHex(sequence, letter).replace(/^04 00/, "04 05");
    });
    await pull.expect(compressed.join("") + jobHex(4, "x"));
  });
});

/** Id 5: keeps as many bytes as it is told, and counts its calls. */
function keeping(bytesKept: number): Compressor & { calls: number } {
  return {
    id: 5,
    name: "keeping",
    calls: 0,
    compress(payload) {
      this.calls++;
      return payload.slice(0, bytesKept);
    },
    decompress: (payload) => payload,
  };
}

/** A PUB with eight raw subscribers. */
async function eight(compressor: Compressor) {
  const scene = new Scene();
  const pub = scene.pub({ compressor, minCompressBytes: 2, heartbeatMs: Infinity });
  await pub.bind("here");
  const ends = await Promise.all(Array.from({ length: 8 }, () => scene.rawDial()));
  for (const end of ends) end.subscribe("a");
  await scene.settle();
  expect(pub.peers.length).toBe(8);
  const received = (): unknown[] => ends.map((end) => end.frames("SUB"));
  return { scene, pub, received };
}

function atAllEight(...messages: readonly object[]): object[] {
  return Array.from({ length: 8 }, () => messages);
}

describe("a PUB with eight subscribers", () => {
  it("compresses each message once, for all of them", async () => {
    const compressor = keeping(1);
    const { scene, pub, received } = await eight(compressor);
    for (const letter of ["x", "y", "z"]) void pub.publish("a", letter.repeat(100));
    await scene.settle();
    expect(compressor.calls).toBe(3);
    const messages = ["78", "79", "7a"].map((first) => ({
      compression: 5,
      payload: bytes(first),
    }));
    expect(received()).toMatchObject(atAllEight(...messages));
  });

  it("compresses it once also when that takes its time", async () => {
    const compressor = new HeldCompressor();
    const { scene, pub, received } = await eight(compressor);
    void pub.publish("a", "xxxx");
    expect(compressor.compressing.calls.length).toBe(1);
    compressor.compressing.call(0).finish(bytes("aa"));
    await scene.settle();
    expect(compressor.compressing.calls.length).toBe(1);
    expect(received()).toMatchObject(atAllEight({ compression: 5, payload: bytes("aa") }));
  });

  it("sends plain, to all of them, what does not get smaller", async () => {
    const { scene, pub, received } = await eight(keeping(4));
    void pub.publish("a", "xyzw");
    void pub.publish("a", "xyzwx");
    await scene.settle();
    const messages = [
      { compression: 0, payload: bytes("78797a77") },
      { compression: 5, payload: bytes("78797a77") },
    ];
    expect(received()).toMatchObject(atAllEight(...messages));
  });
});

describe("a SUB that decompresses several messages", () => {
  it("counts as lost what is missing between them, and nothing else", async () => {
    const decompressor = new HeldDecompressor();
    const scene = new Scene();
    const [end, sub] = await publisherAndSub(scene, decompressor);
    const gaps = record(sub, "gap");
    const seen: number[] = [];
    sub.consume(({ sequence }) => void seen.push(sequence));
    for (const sequence of [0, 1, 4]) {
      const rest = { timeMicros: 0, payload: bytes("aa"), compression: 5 };
      end.send({ type: "message", topic: "a", sequence, ...rest });
    }
    end.send({ type: "mark", sequence: 7 });
    await scene.settle();
    for (const index of [2, 0, 1]) {
      decompressor.call(index).finish(bytes("bb"));
      await scene.settle();
    }
    expect([seen, gaps.map(({ lost }) => lost), sub.stats().lost]).toEqual([[0, 1, 4], [2, 2], 4]);
  });
});

/** A raw publisher with a SUB that dialed it. */
async function publisherAndSub(scene: Scene, decompressor: HeldDecompressor) {
  const ends = await scene.rawListen();
  const sub = scene.sub({ decompressors: [decompressor] });
  await sub.connect("here");
  await scene.settle();
  const [end] = ends;
  if (end === undefined) throw new Error("the SUB did not connect");
  return [end, sub] as const;
}

describe("a REP that decompresses several requests", () => {
  it("serves them in the order they came in", async () => {
    const decompressor = new HeldDecompressor();
    const scene = new Scene();
    const rep = scene.rep({ decompressors: [decompressor] });
    await rep.bind("here");
    const end = await scene.rawDial();
    const seen: string[] = [];
    rep.serve((request) => {
      seen.push(hex(request.payload));
      return "";
    });
    for (const id of [0, 1, 2, 3]) end.request(id, "x", 5);
    end.request(4, "y");
    await scene.settle();
    for (const index of lateFirst) {
      expect(seen).toEqual([]);
      decompressor.call(index).finish(Uint8Array.of(index));
      await scene.settle();
    }
    expect(seen).toEqual(["00", "01", "02", "03", "79"]);
    expect(end.frames("REQ").length).toBe(5);
  });

  it("has no more than maxPending of them unanswered, however many are done at once", async () => {
    const decompressor = new HeldDecompressor();
    const scene = new Scene();
    const rep = scene.rep({ decompressors: [decompressor], maxPending: 1 });
    await rep.bind("here");
    const end = await scene.rawDial();
    for (const id of [0, 1, 2]) end.request(id, "x", 5);
    await scene.settle();
    decompressor.finishAll(bytes("aa"));
    for (let answered = 0; answered < 3; answered++) {
      await scene.settle();
      expect(rep.stats().pending).toBe(1);
      const request = await rep.receive();
      request.respond("");
    }
    await scene.settle();
    expect(end.frames("REQ").length).toBe(3);
  });
});

describe("a PULL that decompresses several jobs", () => {
  it("gives them in their order, within its window, and settles them", async () => {
    const decompressor = new HeldDecompressor();
    const { pull, peer } = await rawPush({ window: 4, decompressors: [decompressor] });
    await peer.expect(flowHex("window", 0, 4));
    for (const sequence of [0, 1, 2, 3]) {
      peer.write(jobHex(sequence, "x").replace(/^04 00/, "04 05"));
    }
    await turns();
    for (const index of lateFirst) {
      expect(pull.stats().queued).toBe(0);
      decompressor.call(index).finish(Uint8Array.of(0x61 + index));
      await turns();
    }
    const texts: string[] = [];
    for (let count = 0; count < 4; count++) {
      const job = await pull.receive();
      texts.push(job.text());
      job.ack();
    }
    expect(texts).toEqual(["a", "b", "c", "d"]);
    await peer.expect(flowHex("ack", 0, 4));
  });
});
