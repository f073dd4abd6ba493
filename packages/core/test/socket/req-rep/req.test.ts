import { describe, expect, it } from "vitest";
import { Outcome, record, Scene } from "../scene.ts";
import { SlowCompressor } from "../slow-compressor.ts";

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

const yes = new Uint8Array([1, 2, 3]);

describe("a request that cannot be taken", () => {
  for (const payload of [undefined, null, 5, {}, [1, 2]]) {
    it(`throws MSG_INVALID_ARGUMENT for ${JSON.stringify(payload)} as its payload`, () => {
      const req = new Scene().req();
      expect(() => req.request(payload as never)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    });
  }

  it("throws MSG_PAYLOAD_TOO_LARGE one byte over maxMessageBytes, naming both", async () => {
    const scene = new Scene();
    const req = scene.req({ maxMessageBytes: 10 });
    expect(() => req.request(new Uint8Array(11))).toThrow("11 bytes, maxMessageBytes is 10");
    expect(() => req.request("é".repeat(5) + "x")).toThrow(withCode("MSG_PAYLOAD_TOO_LARGE"));
    const fits = new Outcome(req.request(new Uint8Array(10), { timeoutMs: 1 }));
    await scene.pass(10);
    expect(fits.code).toBe("MSG_TIMEOUT");
  });

  for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
    it(`throws MSG_INVALID_OPTION for timeoutMs ${timeoutMs}`, () => {
      const req = new Scene().req();
      expect(() => req.request("a", { timeoutMs })).toThrow(withCode("MSG_INVALID_OPTION"));
    });
  }

  it("rejects with the reason of a signal that is aborted already, and leaves no trace", async () => {
    const req = new Scene().req();
    const reason = new Error("no more");
    await expect(req.request("a", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(req.stats()).toMatchObject({ pending: 0, queued: 0 });
  });

  it("rejects with MSG_NO_PEER at once with failFast, but not when a peer is there", async () => {
    const scene = new Scene();
    const [req, rep] = [scene.req({ failFast: true }), scene.rep()];
    rep.serve(() => "answer");
    await expect(req.request("a")).rejects.toMatchObject({ code: "MSG_NO_PEER" });
    const patient = new Outcome(req.request("b", { failFast: false }));
    await scene.join(rep, req);
    const hasty = new Outcome(req.request("c"));
    await scene.settle();
    expect([patient.value?.text(), hasty.value?.text()]).toEqual(["answer", "answer"]);
  });

  it("rejects with MSG_HIGH_WATER_MARK over maxQueued, and takes one when one has ended", async () => {
    const scene = new Scene();
    const req = scene.req({ maxQueued: 2 });
    const abort = new AbortController();
    const first = new Outcome(req.request("1", { signal: abort.signal }));
    void req.request("2");
    await expect(req.request("3")).rejects.toMatchObject({
      code: "MSG_HIGH_WATER_MARK",
      message: "2 requests wait, maxQueued is 2",
    });
    abort.abort();
    const last = new Outcome(req.request("4", { timeoutMs: 10 }));
    await scene.pass(20);
    expect([first.isSettled, last.code]).toEqual([true, "MSG_TIMEOUT"]);
  });

  it("rejects with MSG_HIGH_WATER_MARK over maxQueuedBytes; one request may always wait", async () => {
    const req = new Scene().req({ maxQueuedBytes: 100 });
    void req.request(new Uint8Array(500));
    await expect(req.request(new Uint8Array(1))).rejects.toMatchObject({
      code: "MSG_HIGH_WATER_MARK",
      message: "501 bytes would wait, maxQueuedBytes is 100",
    });
  });

  it("bounds what is being compressed by maxQueued too, also with a peer that has room", async () => {
    const scene = new Scene();
    const compressor = new SlowCompressor();
    const req = scene.req({ compressor, minCompressBytes: 1, maxQueued: 3 });
    const rep = scene.rep({ decompressors: [compressor] });
    rep.serve(() => "answer");
    await scene.join(rep, req);
    const outcomes = Array.from({ length: 10 }, () => new Outcome(req.request("some text")));
    await scene.settle();
    const refused = outcomes.filter(({ code }) => code === "MSG_HIGH_WATER_MARK");
    expect(refused).toHaveLength(outcomes.length - compressor.pending);
    expect(compressor.pending).toBeLessThanOrEqual(4);
    for (let i = 0; i < 20; i++) {
      compressor.finish();
      await scene.settle();
    }
    expect(outcomes.filter(({ value }) => value?.text() === "answer")).toHaveLength(
      outcomes.length - refused.length,
    );
  });

  it("bounds what is being compressed by maxQueuedBytes too", async () => {
    const scene = new Scene();
    const compressor = new SlowCompressor();
    const req = scene.req({ compressor, minCompressBytes: 1, maxQueuedBytes: 1_000 });
    const rep = scene.rep({ decompressors: [compressor] });
    await scene.join(rep, req);
    const outcomes = Array.from(
      { length: 10 },
      () => new Outcome(req.request(new Uint8Array(400), { timeoutMs: 10 })),
    );
    await scene.settle();
    expect(compressor.pending).toBeLessThanOrEqual(3);
    expect(outcomes.filter(({ code }) => code === "MSG_HIGH_WATER_MARK").length).toBeGreaterThan(6);
    await scene.pass(20);
    compressor.finish();
    await scene.settle();
    expect(req.stats()).toMatchObject({ pending: 0, queued: 0, queuedBytes: 0 });
    const next = new Outcome(req.request(new Uint8Array(400), { timeoutMs: 10 }));
    await scene.pass(20);
    expect(next.code).toBe("MSG_TIMEOUT");
  });
});

describe("a request's deadline", () => {
  it("is 5 s by default, from the call on, also when no server ever exists", async () => {
    const scene = new Scene();
    const req = scene.req();
    await req.connect("nowhere");
    const outcome = new Outcome(req.request("a", { timeoutMs: undefined }));
    await scene.pass(4_999);
    expect(outcome.isSettled).toBe(false);
    await scene.pass(1);
    expect(outcome.error).toMatchObject({
      code: "MSG_TIMEOUT",
      message: "request took over 5000 ms: no peer took it",
    });
  });

  it("runs on while the connection is lost and made again", async () => {
    const scene = new Scene();
    const req = scene.req({ timeoutMs: 1_000, retry: true });
    const ends = await scene.rawListen();
    await req.connect("here");
    const outcome = new Outcome(req.request("a"));
    await scene.pass(400);
    scene.network.cut();
    await scene.pass(599);
    expect([ends.length, outcome.isSettled]).toEqual([2, false]);
    await scene.pass(1);
    expect(outcome.error).toMatchObject({
      code: "MSG_TIMEOUT",
      message: "request took over 1000 ms: no answer came",
    });
  });

  it("never comes with Infinity", async () => {
    const scene = new Scene();
    const req = scene.req({ timeoutMs: Infinity });
    const outcome = new Outcome(req.request("a"));
    await scene.pass(2 ** 31);
    expect(outcome.isSettled).toBe(false);
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("leaves the reply that comes after it to nobody, which is counted and told", async () => {
    const scene = new Scene();
    const req = scene.req();
    const dropped = record(req, "dropped");
    const [end] = await connectedTo(scene, req);
    const late = new Outcome(req.request("a", { timeoutMs: 10 }));
    const other = new Outcome(req.request("b"));
    await scene.pass(20);
    end?.reply(1, "late");
    end?.reply(2, "in time");
    await scene.settle();
    expect([late.code, other.value?.text()]).toEqual(["MSG_TIMEOUT", "in time"]);
    expect(dropped).toMatchObject([{ reason: "unexpected-reply", count: 1 }]);
    expect(req.stats()).toMatchObject({ timeouts: 1, dropped: { "unexpected-reply": 1 } });
  });
});

describe("an aborted request", () => {
  for (const where of ["queued", "in flight", "being compressed"]) {
    it(`leaves every table when it is ${where}`, async () => {
      const scene = new Scene();
      const compressor = new SlowCompressor();
      const req = scene.req(
        where === "being compressed" ? { compressor, minCompressBytes: 1 } : {},
      );
      if (where !== "queued") await connectedTo(scene, req);
      const abort = new AbortController();
      const reason = new Error("no more");
      const outcome = new Outcome(req.request("abcd", { signal: abort.signal }));
      await scene.settle();
      expect(req.stats().pending).toBe(1);
      abort.abort(reason);
      compressor.finish();
      await scene.settle();
      expect(outcome.error).toBe(reason);
      expect(req.stats()).toMatchObject({ pending: 0, queued: 0, queuedBytes: 0, inFlight: 0 });
    });
  }

  it("makes room for one that waits", async () => {
    const scene = new Scene();
    const req = scene.req({ maxInFlight: 1 });
    const [end] = await connectedTo(scene, req);
    const abort = new AbortController();
    void req.request("1", { signal: abort.signal });
    const second = new Outcome(req.request("2"));
    await scene.settle();
    expect(end?.frames("REP")).toHaveLength(1);
    abort.abort();
    await scene.settle();
    end?.reply(2, "answer");
    await scene.settle();
    expect(second.value?.text()).toBe("answer");
  });

  it("does not abort another one with the same signal that has its answer", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const abort = new AbortController();
    const outcome = new Outcome(req.request("1", { signal: abort.signal }));
    await scene.settle();
    end?.reply(1, "answer");
    await scene.settle();
    abort.abort();
    expect(outcome.value?.text()).toBe("answer");
  });
});

describe("when a peer is lost", () => {
  it("its requests reject with MSG_PEER_LOST at once, the reason as the cause", async () => {
    const scene = new Scene();
    const req = scene.req();
    await connectedTo(scene, req);
    const outcomes = [1, 2, 3].map(() => new Outcome(req.request("a", { timeoutMs: Infinity })));
    await scene.settle();
    scene.network.cut();
    await scene.settle();
    expect(outcomes.map(({ code }) => code)).toEqual(Array(3).fill("MSG_PEER_LOST"));
    expect(outcomes[0]?.error).toMatchObject({ cause: { message: "link was cut" } });
    expect(req.stats()).toMatchObject({ pending: 0, inFlight: 0 });
  });

  it("requests of other peers go on", async () => {
    const scene = new Scene();
    const req = scene.req();
    const here = await scene.rawListen("here");
    const there = await scene.rawListen("there");
    await req.connect("here");
    await req.connect("there");
    await scene.settle();
    const outcomes = [1, 2].map(() => new Outcome(req.request("a")));
    await scene.settle();
    here[0]?.link.destroy();
    there[0]?.reply(2, "answer");
    await scene.settle();
    expect([outcomes[0]?.code, outcomes[1]?.value?.text()]).toEqual(["MSG_PEER_LOST", "answer"]);
  });

  it("those with retry are sent again, in their order, under the same ids", async () => {
    const scene = new Scene();
    const req = scene.req({ retry: true });
    const ends = await connectedTo(scene, req);
    const outcomes = ["a", "b", "c"].map((text) => new Outcome(req.request(text)));
    void req.request("once", { retry: false, timeoutMs: 1 });
    await scene.settle();
    scene.network.cut();
    await scene.pass(1_000);
    const again = ends[1]?.frames("REP") ?? [];
    expect(again.map((frame) => (frame.type === "request" ? frame.id : frame.type))).toEqual([
      1, 2, 3,
    ]);
    for (const id of [3, 1, 2]) ends[1]?.reply(id, `answer ${id}`);
    await scene.settle();
    expect(outcomes.map(({ value }) => value?.text())).toEqual([
      "answer 1",
      "answer 2",
      "answer 3",
    ]);
  });

  it("those that never left wait for the next, whether or not they may be sent twice", async () => {
    const scene = new Scene();
    const req = scene.req();
    await connectedTo(scene, req);
    const there = await scene.rawListen("there");
    const outcome = new Outcome(req.request("a"));
    // Before the end of the tick in which it was written.
    req.disconnect("here", { lingerMs: 0 });
    await req.connect("there");
    await scene.settle();
    there[0]?.reply(1, "answer");
    await scene.settle();
    expect([outcome.value?.text(), outcome.code]).toEqual(["answer", undefined]);
  });

  it("replies on a new connection to requests of the old one count for nothing", async () => {
    const scene = new Scene();
    const req = scene.req();
    const ends = await connectedTo(scene, req);
    const lost = new Outcome(req.request("a"));
    await scene.settle();
    scene.network.cut();
    await scene.pass(1_000);
    ends[1]?.reply(1, "too late");
    await scene.settle();
    expect([lost.code, req.stats().dropped]).toEqual(["MSG_PEER_LOST", { "unexpected-reply": 1 }]);
  });

  it("in order, without a goodbye, its requests reject too", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const outcome = new Outcome(req.request("a"));
    await scene.settle();
    end?.link.end();
    await scene.settle();
    expect(outcome.code).toBe("MSG_PEER_LOST");
  });

  it("a signal that aborts or a deadline that passes while it waits again is honoured", async () => {
    const scene = new Scene();
    const req = scene.req({ retry: true });
    await connectedTo(scene, req);
    const abort = new AbortController();
    const outcomes = [
      new Outcome(req.request("a", { signal: abort.signal })),
      new Outcome(req.request("b", { timeoutMs: 100 })),
    ];
    await scene.settle();
    scene.network.pairs[0]?.dialed.cut();
    req.disconnect("here");
    await scene.settle();
    expect(req.stats()).toMatchObject({ queued: 2, inFlight: 0 });
    abort.abort(new Error("no more"));
    await scene.pass(100);
    expect([String(outcomes[0]?.error), outcomes[1]?.code]).toEqual([
      "Error: no more",
      "MSG_TIMEOUT",
    ]);
    expect(req.stats()).toMatchObject({ pending: 0, queued: 0, queuedBytes: 0 });
  });
});

describe("when every endpoint was given up", () => {
  it("what waits rejects with the reason", async () => {
    const scene = new Scene();
    const req = scene.req({ reconnect: { maxAttempts: 2 } });
    req.on("error", () => {});
    await req.connect("nowhere");
    const outcome = new Outcome(req.request("a", { timeoutMs: Infinity }));
    await scene.pass(1_000);
    expect(outcome.code).toBe("MSG_DIAL_FAILED");
  });
});

describe("a peer that drains", () => {
  it("is given nothing more from its goodbye on, and still answers what it has", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const running = new Outcome(req.request("a"));
    await scene.settle();
    end?.send({ type: "error reply", id: 0xffff_ffff, code: "MSG_DRAINING", message: "" });
    await scene.settle();
    const waiting = new Outcome(req.request("b"));
    await scene.settle();
    expect(end?.frames("REP")).toHaveLength(1);
    end?.reply(1, "answer");
    await scene.settle();
    expect([running.value?.text(), waiting.isSettled]).toEqual(["answer", false]);
  });

  it("refuses a request that then goes to another peer by itself", async () => {
    const scene = new Scene();
    const req = scene.req();
    const here = await scene.rawListen("here");
    const there = await scene.rawListen("there");
    await req.connect("here");
    await scene.settle();
    const outcome = new Outcome(req.request("a"));
    await scene.settle();
    await req.connect("there");
    here[0]?.send({ type: "error reply", id: 1, code: "MSG_DRAINING", message: "" });
    await scene.settle();
    expect(there[0]?.frames("REP")).toMatchObject([{ type: "request", id: 1 }]);
    there[0]?.reply(1, "answer");
    await scene.settle();
    expect(outcome.value?.text()).toBe("answer");
  });
});

describe("an answer", () => {
  it("that is an error rejects with MSG_REMOTE, its code and its message", async () => {
    const scene = new Scene();
    const req = scene.req({ retry: true });
    const [end] = await connectedTo(scene, req);
    const outcome = new Outcome(req.request("a"));
    await scene.settle();
    end?.send({ type: "error reply", id: 1, code: "NOT_FOUND", message: "no user 7" });
    await scene.settle();
    expect(outcome.error).toMatchObject({
      code: "MSG_REMOTE",
      remoteCode: "NOT_FOUND",
      message: "no user 7",
    });
    expect(end?.frames("REP")).toHaveLength(1);
  });

  it("cannot pass for a local error, whatever code it claims", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const claims = ["MSG_TIMEOUT", "MSG_PEER_LOST", "MSG_CLOSED", "nonsense\u0000", ""];
    const outcomes = claims.map(() => new Outcome(req.request("a")));
    await scene.settle();
    claims.forEach((code, index) => {
      end?.send({ type: "error reply", id: index + 1, code, message: "" });
    });
    await scene.settle();
    expect(outcomes.map(({ code }) => code)).toEqual(Array(5).fill("MSG_REMOTE"));
  });

  it("that cannot be decompressed fails that request only", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const outcomes = [1, 2].map(() => new Outcome(req.request("a")));
    await scene.settle();
    end?.reply(1, yes, 6);
    end?.reply(2, "answer");
    await scene.settle();
    expect([outcomes[0]?.code, outcomes[1]?.value?.text()]).toEqual([
      "MSG_UNKNOWN_COMPRESSION",
      "answer",
    ]);
  });

  it("is taken once: a second one with the same id is nobody's", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const outcome = new Outcome(req.request("a"));
    await scene.settle();
    end?.reply(1, "first");
    end?.reply(1, "second");
    end?.send({ type: "error reply", id: 1, code: "THIRD", message: "" });
    await scene.settle();
    expect([outcome.value?.text(), req.stats().dropped]).toEqual([
      "first",
      { "unexpected-reply": 2 },
    ]);
  });

  it("from another peer than the one that was asked is nobody's", async () => {
    const scene = new Scene();
    const req = scene.req();
    const here = await scene.rawListen("here");
    const there = await scene.rawListen("there");
    await req.connect("here");
    await scene.settle();
    const outcome = new Outcome(req.request("a"));
    await scene.settle();
    await req.connect("there");
    await scene.settle();
    there[0]?.reply(1, "forged");
    await scene.settle();
    expect(outcome.isSettled).toBe(false);
    here[0]?.reply(1, "answer");
    await scene.settle();
    expect(outcome.value?.text()).toBe("answer");
  });
});

describe("sending", () => {
  it("goes to the peer with the fewest requests in flight", async () => {
    const scene = new Scene();
    const req = scene.req();
    const lists = [
      await scene.rawListen("a"),
      await scene.rawListen("b"),
      await scene.rawListen("c"),
    ];
    for (const address of ["a", "b", "c"]) await req.connect(address);
    await scene.settle();
    const ends = lists.map(([end]) => end);
    const counts = (): (number | undefined)[] => ends.map((end) => end?.frames("REP").length);
    for (let i = 0; i < 6; i++) void req.request("x");
    await scene.settle();
    expect(counts()).toEqual([2, 2, 2]);
    ends[1]?.reply(2, "");
    ends[1]?.reply(5, "");
    await scene.settle();
    for (let i = 0; i < 2; i++) void req.request("x");
    await scene.settle();
    expect(counts()).toEqual([2, 4, 2]);
  });

  it("keeps to maxInFlight for each peer; what waits goes out in the order it came", async () => {
    const scene = new Scene();
    const req = scene.req({ maxInFlight: 2 });
    const [end] = await connectedTo(scene, req);
    for (const text of ["1", "2", "3", "4"]) void req.request(text);
    await scene.settle();
    const sent = (): string[] =>
      (end?.frames("REP") ?? []).map((frame) =>
        frame.type === "request" ? new TextDecoder().decode(frame.payload) : frame.type,
      );
    expect(sent()).toEqual(["1", "2"]);
    end?.reply(2, "");
    await scene.settle();
    expect(sent()).toEqual(["1", "2", "3"]);
    end?.reply(1, "");
    await scene.settle();
    expect(sent()).toEqual(["1", "2", "3", "4"]);
    expect(req.stats()).toMatchObject({ inFlight: 2, queued: 0, pending: 2 });
  });

  it("stops for a peer that does not read, and goes on when it does", async () => {
    const scene = new Scene();
    const req = scene.req({ sendHighWaterBytes: 1_000, timeoutMs: Infinity });
    const [end] = await connectedTo(scene, req);
    end?.link.setReading(false);
    for (let i = 0; i < 500; i++) void req.request(new Uint8Array(1_000));
    await scene.settle();
    expect(req.stats().queued).toBeGreaterThan(400);
    end?.link.setReading(true);
    await scene.settle();
    expect([req.stats().queued, end?.frames("REP").length]).toEqual([0, 500]);
  });

  it("sends the bytes as they were at the call when copy is set", async () => {
    const scene = new Scene();
    const req = scene.req();
    const payload = new Uint8Array([1, 2, 3]);
    void req.request(payload, { copy: true });
    payload.fill(9);
    const [end] = await connectedTo(scene, req);
    expect(end?.frames("REP")).toMatchObject([{ payload: new Uint8Array([1, 2, 3]) }]);
  });

  it("takes replies in any order, each to its own request", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const outcomes = Array.from({ length: 50 }, (_, index) => new Outcome(req.request(`${index}`)));
    await scene.settle();
    for (let id = 50; id >= 1; id--) end?.reply(id, `answer ${id - 1}`);
    await scene.settle();
    expect(outcomes.map(({ value }) => value?.text())).toEqual(
      outcomes.map((_, index) => `answer ${index}`),
    );
    expect(req.stats()).toMatchObject({ messagesSent: 50, messagesReceived: 50, pending: 0 });
    expect(req.stats().roundTrip.count).toBe(50);
  });
});

describe("closing a REQ", () => {
  it("rejects what waits with MSG_CLOSED at once, and waits for what is in flight", async () => {
    const scene = new Scene();
    const req = scene.req({ maxInFlight: 1 });
    const [end] = await connectedTo(scene, req);
    const [running, waiting] = [new Outcome(req.request("1")), new Outcome(req.request("2"))];
    await scene.settle();
    const closing = new Outcome(req.close());
    await scene.settle();
    expect([running.isSettled, waiting.code, closing.isSettled]).toEqual([
      false,
      "MSG_CLOSED",
      false,
    ]);
    end?.reply(1, "answer");
    await scene.settle();
    end?.link.end();
    await scene.settle();
    expect([running.value?.text(), closing.value]).toEqual([
      "answer",
      { unsent: 1, unacknowledged: 0 },
    ]);
  });

  it("rejects what is in flight when its linger is over, and reports it", async () => {
    const scene = new Scene();
    const req = scene.req({ timeoutMs: Infinity });
    await connectedTo(scene, req);
    const outcomes = [1, 2].map(() => new Outcome(req.request("a")));
    await scene.settle();
    const closing = new Outcome(req.close({ lingerMs: 100 }));
    await scene.pass(99);
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([false, false]);
    await scene.pass(1);
    expect(outcomes.map(({ code }) => code)).toEqual(["MSG_CLOSED", "MSG_CLOSED"]);
    expect(closing.value).toEqual({ unsent: 0, unacknowledged: 2 });
  });

  it("does not take its whole linger for a request that its peer gave back", async () => {
    const scene = new Scene();
    const req = scene.req();
    const [end] = await connectedTo(scene, req);
    const outcome = new Outcome(req.request("a"));
    await scene.settle();
    const closing = new Outcome(req.close({ lingerMs: 4_000 }));
    end?.send({ type: "error reply", id: 1, code: "MSG_DRAINING", message: "" });
    end?.link.end();
    await scene.settle();
    expect([outcome.code, closing.isSettled]).toEqual(["MSG_CLOSED", true]);
  });

  it("rejects everything at once with lingerMs 0", async () => {
    const scene = new Scene();
    const req = scene.req();
    await connectedTo(scene, req);
    const outcomes = [new Outcome(req.request("a"))];
    await scene.settle();
    req.disconnect("here");
    outcomes.push(new Outcome(req.request("b")));
    const closing = new Outcome(req.close({ lingerMs: 0 }));
    await scene.settle();
    expect(outcomes.map(({ code }) => code)).toEqual(["MSG_CLOSED", "MSG_CLOSED"]);
    expect(closing.value).toEqual({ unsent: 1, unacknowledged: 1 });
  });

  it("rejects a request that is being compressed", async () => {
    const scene = new Scene();
    const compressor = new SlowCompressor();
    const req = scene.req({ compressor, minCompressBytes: 1 });
    await connectedTo(scene, req);
    const outcome = new Outcome(req.request("abcd"));
    const closing = new Outcome(req.close({ lingerMs: 0 }));
    await scene.settle();
    compressor.finish();
    await scene.settle();
    expect([outcome.code, closing.isSettled, req.stats().pending]).toEqual(["MSG_CLOSED", true, 0]);
  });
});

/** Connects to a raw listener; the list has an end for each connection. */
async function connectedTo(
  scene: Scene,
  req: ReturnType<Scene["req"]>,
): ReturnType<Scene["rawListen"]> {
  const ends = await scene.rawListen();
  await req.connect("here");
  await scene.settle();
  return ends;
}
