import { seededRandom } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { Request } from "../../../src/socket/req-rep/request.ts";
import { ReplyError } from "../../../src/socket/req-rep/request.ts";
import type { RawEnd } from "../scene.ts";
import { Outcome, record, Scene } from "../scene.ts";
import { SlowCompressor } from "../slow-compressor.ts";

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

/** A bound REP and a raw REQ that dialed it. */
async function setUp(options: Parameters<Scene["rep"]>[0] = {}) {
  const scene = new Scene();
  const rep = scene.rep(options);
  await rep.bind("here");
  const end = await scene.rawDial();
  await scene.settle();
  return { scene, rep, end };
}

/** What came as replies, shortened: `1=text`, `1!CODE`. */
function replies(end: RawEnd): string[] {
  return end.frames("REQ").map((frame) => {
    if (frame.type === "reply") return `${frame.id}=${new TextDecoder().decode(frame.payload)}`;
    return frame.type === "error reply" ? `${frame.id}!${frame.code}` : frame.type;
  });
}

/** What a REP that closes says first, and again when it has answered all it read. */
const goodbye = "4294967295!MSG_DRAINING";

describe("ReplyError", () => {
  for (const code of ["", "lower", "1A", "A B", "A".repeat(65), "MSG_DRAINING", 5, undefined]) {
    it(`refuses ${JSON.stringify(code)} as its code`, () => {
      expect(() => new ReplyError(code as string, "")).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    });
  }

  it("takes up to 64 capital letters, digits and underscores", () => {
    expect(new ReplyError("A".repeat(64), "why").remoteCode).toHaveLength(64);
    expect(new ReplyError("NOT_FOUND_2", "why")).toMatchObject({ name: "ReplyError" });
  });
});

describe("answering", () => {
  it("refuses a second answer, a payload too large, a malformed code, and no payload", async () => {
    const { scene, rep, end } = await setUp({ maxMessageBytes: 10 });
    end.request(1, "a");
    await scene.settle();
    const request = await rep.receive();
    expect(() => request.respond(new Uint8Array(11))).toThrow(withCode("MSG_PAYLOAD_TOO_LARGE"));
    expect(() => request.respond(undefined as never)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(() => request.fail("lower", "")).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(request.isPending).toBe(true);
    request.respond("b");
    expect(request.isPending).toBe(false);
    expect(() => request.respond("c")).toThrow(withCode("MSG_ALREADY_ANSWERED"));
    expect(() => request.fail("CODE", "")).toThrow(withCode("MSG_ALREADY_ANSWERED"));
    await scene.settle();
    expect(replies(end)).toEqual(["1=b"]);
  });

  it("echoes any id, in any order, also one that is used twice at a time", async () => {
    const { scene, rep, end } = await setUp();
    const ids = [0, 7, 0xffff_fffe, 7, 0xffff_ffff, 1];
    for (const id of ids) end.request(id, `${id}`);
    await scene.settle();
    const requests: Request[] = [];
    while (requests.length < ids.length) requests.push(await rep.receive());
    for (const request of requests.toReversed()) request.respond(request.text());
    await scene.settle();
    expect(replies(end)).toEqual(ids.toReversed().map((id) => `${id}=${id}`));
  });

  it("sends the bytes as they were at the call when copy is set", async () => {
    const { scene, rep, end } = await setUp();
    end.request(1, "a");
    await scene.settle();
    const payload = new TextEncoder().encode("before");
    (await rep.receive()).respond(payload, { copy: true });
    payload.fill(0);
    await scene.settle();
    expect(replies(end)).toEqual(["1=before"]);
  });

  it("cuts the message of an error to 4 KiB between characters", async () => {
    const { scene, rep, end } = await setUp();
    end.request(1, "a");
    await scene.settle();
    (await rep.receive()).fail("LONG", "é".repeat(5_000));
    await scene.settle();
    const [frame] = end.frames("REQ");
    expect(frame).toMatchObject({ code: "LONG", message: "é".repeat((4_096 - 6) / 2) });
  });

  it("of a peer that is gone is dropped and counted, and its signal aborts", async () => {
    const { scene, rep, end } = await setUp();
    const dropped = record(rep, "dropped");
    end.request(1, "a");
    await scene.settle();
    const request = await rep.receive();
    expect(request.signal.aborted).toBe(false);
    end.link.destroy();
    await scene.settle();
    expect([request.isPending, request.signal.aborted]).toEqual([false, true]);
    request.respond("b");
    expect(() => request.respond("c")).toThrow(withCode("MSG_ALREADY_ANSWERED"));
    expect(dropped).toMatchObject([{ reason: "late-reply", count: 1 }]);
    expect(rep.stats()).toMatchObject({ pending: 0, dropped: { "late-reply": 1 } });
  });

  it("reaches a peer that ended its side, and only then ends the other", async () => {
    const { scene, rep, end } = await setUp();
    end.request(1, "a");
    end.request(2, "b");
    end.link.end();
    await scene.settle();
    expect(end.isOver).toBe(false);
    (await rep.receive()).respond("A");
    await scene.settle();
    expect(end.isOver).toBe(false);
    (await rep.receive()).respond("B");
    await scene.settle();
    expect([replies(end), end.isOver]).toEqual([["1=A", "2=B"], true]);
  });
});

describe("a reply to a peer that ended its side and reads slowly", () => {
  it("is not cut off after a second, nor does the peer keep the socket from closing", async () => {
    const { scene, rep, end } = await setUp();
    rep.serve(() => new Uint8Array(200_000));
    end.request(1, "a");
    end.link.end();
    end.link.setReading(false);
    await scene.pass(10_000);
    expect(end.isClosed).toBe(false);
    end.link.setReading(true);
    await scene.settle();
    expect([end.frames("REQ").length, end.isOver]).toEqual([1, true]);
    const stuck = await scene.rawDial();
    stuck.request(1, "a");
    stuck.link.end();
    stuck.link.setReading(false);
    await scene.settle();
    const closing = new Outcome(rep.close({ lingerMs: 100 }));
    await scene.pass(100);
    expect(closing.isSettled).toBe(true);
  });
});

describe("a request that nobody answers", () => {
  it("gets MSG_NO_ANSWER after 30 s by default, is counted, and its signal aborts", async () => {
    const { scene, rep, end } = await setUp();
    end.request(1, "a");
    await scene.settle();
    const request = await rep.receive();
    const { signal } = request;
    await scene.pass(29_999);
    expect([replies(end), signal.aborted]).toEqual([[], false]);
    await scene.pass(1);
    expect([replies(end), signal.aborted]).toEqual([["1!MSG_NO_ANSWER"], true]);
    request.respond("too late");
    await scene.settle();
    expect(replies(end)).toHaveLength(1);
    expect(rep.stats()).toMatchObject({ unanswered: 1, pending: 0, dropped: { "late-reply": 1 } });
  });

  it("counts from its own arrival, each", async () => {
    const { scene, end } = await setUp({ answerTimeoutMs: 100 });
    end.request(1, "a");
    await scene.pass(60);
    end.request(2, "b");
    await scene.pass(40);
    expect(replies(end)).toEqual(["1!MSG_NO_ANSWER"]);
    await scene.pass(60);
    expect(replies(end)).toEqual(["1!MSG_NO_ANSWER", "2!MSG_NO_ANSWER"]);
  });

  it("waits for ever with Infinity", async () => {
    const { scene, rep, end } = await setUp({ answerTimeoutMs: Infinity });
    end.request(1, "a");
    await scene.pass(2 ** 31);
    expect([rep.stats().pending, scene.runtime.timersInMs]).toEqual([1, []]);
  });

  it("is not handed out any more once its time has passed", async () => {
    const { scene, rep, end } = await setUp({ answerTimeoutMs: 100 });
    end.request(1, "a");
    await scene.pass(100);
    end.request(2, "b");
    await scene.settle();
    const seen: string[] = [];
    rep.serve((request) => {
      seen.push(request.text());
      return "";
    });
    await scene.settle();
    expect(seen).toEqual(["b"]);
  });
});

describe("bounds", () => {
  it("stops reading a peer with maxPending unanswered, and goes on when one is answered", async () => {
    const { scene, rep, end } = await setUp({ maxPending: 3 });
    for (let id = 1; id <= 10; id++) end.request(id, "a");
    await scene.settle();
    expect(rep.stats().pending).toBe(3);
    for (let id = 1; id <= 10; id++) {
      (await rep.receive()).respond("b");
      await scene.settle();
    }
    expect(replies(end)).toHaveLength(10);
  });

  it("stops reading a peer at maxPendingBytes; one request is always taken", async () => {
    const { scene, rep, end } = await setUp({ maxPendingBytes: 100 });
    end.request(1, new Uint8Array(5_000));
    end.request(2, "a");
    await scene.settle();
    expect(rep.stats().pending).toBe(1);
    (await rep.receive()).respond("");
    await scene.settle();
    expect(rep.stats().pending).toBe(1);
  });

  it("bounds each peer by itself: the others are served", async () => {
    const { scene, rep, end } = await setUp({ maxPending: 1 });
    const other = await scene.rawDial();
    for (let id = 1; id <= 5; id++) end.request(id, "a");
    other.request(1, "b");
    await scene.settle();
    const requests = [await rep.receive(), await rep.receive()];
    expect(requests.map((request) => request.text()).toSorted()).toEqual(["a", "b"]);
    for (const request of requests) if (request.text() === "b") request.respond("");
    await scene.settle();
    expect([replies(end), replies(other)]).toEqual([[], ["1="]]);
  });

  it("replaces replies that a peer does not read by short errors, and counts them", async () => {
    const bounds = { maxUnsentReplyBytes: 100_000, sendHighWaterBytes: 1_000_000 };
    const { scene, rep, end } = await setUp(bounds);
    const dropped = record(rep, "dropped");
    rep.serve(() => new Uint8Array(60_000));
    end.link.setReading(false);
    for (let id = 1; id <= 20; id++) end.request(id, "a");
    await scene.settle();
    const lost = rep.stats().dropped["unread-replies"] ?? 0;
    expect(lost).toBeGreaterThan(10);
    expect(dropped.every(({ reason }) => reason === "unread-replies")).toBe(true);
    end.link.setReading(true);
    await scene.settle();
    const errors = replies(end).filter((reply) => reply.endsWith("!REPLIES_UNREAD"));
    expect([replies(end).length, errors.length]).toEqual([20, lost]);
  });

  const floods: [
    what: string,
    options: Parameters<Scene["rep"]>[0],
    send: (end: RawEnd) => void,
  ][] = [
    ["health probes", { answerPing: true }, (end) => end.request(1, "PING")],
    ["requests it cannot decompress", {}, (end) => end.request(1, "abc", 6)],
    ["requests with reserved flags", {}, (end) => end.hex("02 f8 00000001 00000000")],
  ];
  for (const [what, options, send] of floods) {
    it(`keeps what it owes a peer bounded that floods it with ${what} and never reads`, async () => {
      const { scene, rep, end } = await setUp({ ...options, sendHighWaterBytes: 10_000 });
      const [pair] = scene.network.pairs;
      end.link.setReading(false);
      let most = 0;
      for (let round = 0; round < 60; round++) {
        for (let i = 0; i < 1_000; i++) send(end);
        await scene.settle();
        most = Math.max(most, pair?.accepted.bufferedBytes ?? 0);
      }
      expect(most).toBeLessThan(30_000);
      // And another peer is served meanwhile.
      rep.serve(() => "answer");
      const other = await scene.rawDial();
      other.request(7, "a");
      await scene.settle();
      expect(replies(other)).toEqual(["7=answer"]);
    });
  }
});

describe("a health probe", () => {
  it("is answered unseen when answerPing is on, and only as the four plain bytes", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ answerPing: true, decompressors: [compressor] });
    end.request(0, "PING");
    end.request(1, "PONG");
    end.request(2, "PING ");
    await scene.settle();
    expect([replies(end), rep.stats().pending]).toEqual([["0=PONG"], 2]);
  });

  it("is a request like any other when it is off", async () => {
    const { scene, rep, end } = await setUp();
    end.request(1, "PING");
    await scene.settle();
    expect([replies(end), (await rep.receive()).text()]).toEqual([[], "PING"]);
  });
});

describe("serve", () => {
  it("refuses a second handler, no handler, and a bad concurrency", () => {
    const rep = new Scene().rep();
    expect(() => rep.serve(undefined as never)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
    expect(() => rep.serve(() => "", { concurrency: 0 })).toThrow(withCode("MSG_INVALID_OPTION"));
    const consumer = rep.serve(() => "");
    expect(() => rep.serve(() => "")).toThrow(withCode("MSG_INVALID_STATE"));
    void consumer.stop();
    rep.serve(() => "");
  });

  it("answers with what the handler gives, now or later, as text or bytes", async () => {
    const { scene, rep, end } = await setUp();
    rep.serve((request) => {
      if (request.text() === "now") return new Uint8Array([0x61]);
      return Promise.resolve("later");
    });
    end.request(1, "later");
    end.request(2, "now");
    await scene.settle();
    expect(replies(end).toSorted()).toEqual(["1=later", "2=a"]);
  });

  it("answers with the error a handler threw for the peer, and with INTERNAL for any other", async () => {
    const { scene, rep, end } = await setUp();
    const errors = record(rep, "error");
    const secret = new Error("the password is 1234");
    rep.serve((request) => {
      if (request.text() === "mine") throw new ReplyError("NOT_FOUND", "no such thing");
      if (request.text() === "later") return Promise.reject(secret);
      throw secret;
    });
    end.request(1, "mine");
    end.request(2, "now");
    end.request(3, "later");
    await scene.settle();
    expect(replies(end)).toEqual(["1!NOT_FOUND", "2!INTERNAL", "3!INTERNAL"]);
    expect(new TextDecoder().decode(end.received)).not.toContain("1234");
    expect(errors.map(({ error }) => [error.code, error.cause])).toEqual([
      ["MSG_HANDLER_FAILED", secret],
      ["MSG_HANDLER_FAILED", secret],
    ]);
  });

  it("answers INTERNAL for a handler that gives no payload, or one too large", async () => {
    const { scene, rep, end } = await setUp({ maxMessageBytes: 10 });
    const errors = record(rep, "error");
    const results: unknown[] = [undefined, null, 5, {}, new Uint8Array(11), Promise.resolve(7)];
    rep.serve(() => results.shift() as string);
    for (let id = 1; id <= 6; id++) end.request(id, "a");
    await scene.settle();
    expect(replies(end)).toEqual([1, 2, 3, 4, 5, 6].map((id) => `${id}!INTERNAL`));
    expect(errors).toHaveLength(6);
  });

  it("lets the handler answer by itself and then throw", async () => {
    const { scene, rep, end } = await setUp();
    rep.on("error", () => {});
    rep.serve((request) => {
      request.respond("mine");
      throw new Error("afterwards");
    });
    end.request(1, "a");
    await scene.settle();
    expect(replies(end)).toEqual(["1=mine"]);
  });

  it("shows a handler its request as pending, and counts it so, until it has answered", async () => {
    const { scene, rep, end } = await setUp();
    const before = scene.runtime.timersInMs;
    const seen: unknown[] = [];
    rep.serve((request) => {
      seen.push([request.isPending, request.signal.aborted]);
      if (request.text() === "look") seen.push(rep.stats().pending);
      return "";
    });
    end.request(1, "look");
    end.request(2, "do not look");
    await scene.settle();
    expect(seen).toEqual([[true, false], 1, [true, false]]);
    expect([replies(end), rep.stats().pending]).toEqual([["1=", "2="], 0]);
    // Looking at the lists is what put the one into them, and a timer stays for a moment.
    expect(scene.runtime.timersInMs).toEqual([...before, 30_000]);
  });

  it("sets no timer for what is answered at once", async () => {
    const { scene, rep, end } = await setUp();
    const before = scene.runtime.timersInMs;
    rep.serve(() => "now");
    for (let id = 1; id <= 10; id++) end.request(id, "a");
    await scene.settle();
    expect([replies(end).length, scene.runtime.timersInMs]).toEqual([10, before]);
  });

  it("answers MSG_NO_ANSWER when what a handler promised does not come in time", async () => {
    const { scene, rep, end } = await setUp({ answerTimeoutMs: 100 });
    rep.serve((request) => (request.text() === "now" ? "n" : new Promise<string>(() => {})));
    end.request(1, "never");
    await scene.pass(60);
    end.request(2, "now");
    end.request(3, "never");
    await scene.pass(40);
    expect(replies(end)).toEqual(["2=n", "1!MSG_NO_ANSWER"]);
    await scene.pass(60);
    expect(replies(end).at(-1)).toBe("3!MSG_NO_ANSWER");
    expect(rep.stats()).toMatchObject({ unanswered: 2, pending: 0 });
  });

  it("stops reading at maxPending that are promised, not for what is answered at once", async () => {
    const { scene, rep, end } = await setUp({ maxPending: 2 });
    const ends: (() => void)[] = [];
    rep.serve((request) => {
      if (request.text() === "now") return "n";
      return new Promise<string>((resolve) => void ends.push(() => resolve("l")));
    });
    for (let id = 1; id <= 5; id++) end.request(id, "now");
    for (let id = 6; id <= 9; id++) end.request(id, "later");
    end.request(10, "now");
    await scene.settle();
    expect([replies(end).length, ends.length, rep.stats().pending]).toEqual([5, 2, 2]);
    while (ends.length > 0) {
      ends.shift()?.();
      await scene.settle();
    }
    expect([replies(end).length, rep.stats().pending]).toEqual([10, 0]);
  });

  it("answers each request once and rightly, whatever its handlers do, however they mix", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const pick = (count: number): number => Math.floor(random() * count);
      const { scene, rep, end } = await setUp({ maxPending: 1 + pick(8) });
      const ends = [end, await scene.rawDial(), await scene.rawDial()];
      rep.on("error", () => {});
      const late: (() => void)[] = [];
      const answers: Record<string, (request: Request) => string | Promise<string>> = {
        now: (request) => request.text(),
        soon: (request) => Promise.resolve(request.text()),
        late: (request) => new Promise((resolve) => void late.push(() => resolve(request.text()))),
        throws: () => {
          throw new ReplyError("THROWN", "");
        },
        rejects: () => Promise.reject(new ReplyError("REJECTED", "")),
        itself: (request) => {
          request.respond(request.text());
          throw new Error("answered before");
        },
        looks: (request) => `${request.text()}${rep.stats().pending > 0 ? "" : "?"}`,
      };
      const kinds = Object.keys(answers);
      rep.serve((request) => answers[request.text().split(" ")[0] ?? ""]?.(request) ?? "", {
        concurrency: 1 + pick(6),
      });
      // What each end is to get, by the plainest rule there is.
      const expected: string[][] = ends.map(() => []);
      for (let step = 0; step < 150; step++) {
        const at = pick(ends.length);
        const kind = kinds[pick(kinds.length)] ?? "";
        const text = `${kind} ${step}`;
        ends[at]?.request(step, text);
        const errors: Record<string, string> = { throws: "!THROWN", rejects: "!REJECTED" };
        expected[at]?.push(`${step}${errors[kind] ?? `=${text}`}`);
        if (pick(4) === 0) await scene.settle();
        if (pick(3) === 0) late.splice(pick(late.length), 1)[0]?.();
      }
      for (let rest = 0; rest < 200; rest++) {
        await scene.settle();
        if (late.length === 0) break;
        for (const finish of late.splice(0)) finish();
      }
      for (const [at, wanted] of expected.entries()) {
        const got = replies(ends[at] as RawEnd);
        expect(got.toSorted(), `seed ${seed}`).toEqual(wanted.toSorted());
      }
      expect(rep.stats()).toMatchObject({ pending: 0, queued: 0 });
    }
  });

  it("runs at most `concurrency` at a time, and keeps those it waits for", async () => {
    const { scene, rep, end } = await setUp();
    const ends: ((text: string) => void)[] = [];
    rep.serve(() => new Promise<string>((resolve) => void ends.push(resolve)), { concurrency: 2 });
    for (let id = 1; id <= 5; id++) end.request(id, "a");
    await scene.settle();
    expect([ends.length, rep.stats().queued]).toEqual([2, 3]);
    while (ends.length > 0) {
      ends.shift()?.("b");
      await scene.settle();
    }
    expect(replies(end)).toHaveLength(5);
  });

  it("does not run what a lost peer asked, nor keep the others waiting", async () => {
    const { scene, rep, end } = await setUp();
    const other = await scene.rawDial();
    for (let id = 1; id <= 3; id++) end.request(id, "lost");
    other.request(1, "kept");
    await scene.settle();
    end.link.destroy();
    await scene.settle();
    const seen: string[] = [];
    rep.serve((request) => {
      seen.push(request.text());
      return "";
    });
    await scene.settle();
    expect([seen, replies(other)]).toEqual([["kept"], ["1="]]);
  });

  it("hands a waiting receive() the request of another peer when the first in turn is lost", async () => {
    const { scene, rep, end } = await setUp();
    const other = await scene.rawDial();
    end.request(1, "lost");
    other.request(1, "kept");
    await scene.settle();
    end.link.destroy();
    await scene.settle();
    const received = new Outcome(rep.receive());
    await scene.settle();
    expect(received.value?.text()).toBe("kept");
  });
});

describe("what the application does inside", () => {
  it("an abort listener that answers others loses nothing", async () => {
    const { scene, rep, end } = await setUp({ answerTimeoutMs: Infinity });
    for (let id = 1; id <= 5; id++) end.request(id, "a");
    await scene.settle();
    const requests: Request[] = [];
    while (requests.length < 5) requests.push(await rep.receive());
    requests[0]?.signal.addEventListener("abort", () => requests[1]?.respond("b"));
    end.link.destroy();
    await scene.settle();
    expect(rep.stats().pending).toBe(0);
    expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, false, true, true, true]);
  });

  it("a handler that closes the socket ends it once, and is not called again", async () => {
    const { scene, rep, end } = await setUp();
    let calls = 0;
    rep.serve(() => {
      calls++;
      void rep.close({ lingerMs: 0 });
      return "last";
    });
    for (let id = 1; id <= 5; id++) end.request(id, "a");
    await scene.settle();
    expect([calls, rep.isClosed, rep.stats().pending]).toEqual([1, true, 0]);
  });

  it("a handler that closes the socket and answers later is waited for", async () => {
    const { scene, rep, end } = await setUp();
    let finish: ((text: string) => void) | undefined;
    let closing: Outcome<unknown> | undefined;
    rep.serve(() => {
      closing = new Outcome(rep.close());
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    });
    end.request(1, "a");
    await scene.settle();
    expect([closing?.isSettled, end.isOver]).toEqual([false, false]);
    finish?.("last");
    await scene.settle();
    end.link.end();
    await scene.settle();
    expect([replies(end).slice(-2), closing?.isSettled]).toEqual([["1=last", goodbye], true]);
  });

  it("a handler that awaits close() does not keep it from closing", async () => {
    const { scene, rep, end } = await setUp();
    const closed: unknown[] = [];
    rep.serve(async () => {
      closed.push(await rep.close({ lingerMs: 100 }));
      return "";
    });
    end.request(1, "a");
    await scene.pass(100);
    end.link.end();
    await scene.settle();
    expect(closed).toHaveLength(1);
  });
});

describe("compression", () => {
  it("keeps requests of a connection in order while they are decompressed", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ decompressors: [compressor] });
    end.request(1, "ab", 5);
    end.request(2, "c");
    end.request(3, "de", 5);
    await scene.settle();
    const seen: string[] = [];
    rep.serve((request) => {
      seen.push(`${request.payload.length}`);
      return "";
    });
    for (let i = 0; i < 3; i++) {
      compressor.finish();
      await scene.settle();
    }
    expect([seen, replies(end)]).toEqual([
      ["4", "1", "4"],
      ["1=", "2=", "3="],
    ]);
  });

  it("fails the one request that cannot be decompressed, and the connection lives", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ decompressors: [compressor] });
    const dropped = record(rep, "dropped");
    rep.serve(() => "answer");
    end.request(1, "ab", 5);
    end.request(2, "ab", 4);
    end.request(3, "");
    await scene.settle();
    compressor.fail(new Error("damaged"));
    await scene.settle();
    expect(replies(end)).toEqual([
      "1!MSG_DECOMPRESS_FAILED",
      "2!MSG_UNKNOWN_COMPRESSION",
      "3=answer",
    ]);
    expect(dropped.map(({ reason }) => reason)).toEqual(["unreadable", "unreadable"]);
  });

  it("leaves nothing behind of a request whose peer is lost while it is decompressed", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ decompressors: [compressor] });
    end.request(1, "ab", 5);
    await scene.settle();
    end.link.destroy();
    await scene.settle();
    compressor.finish();
    await scene.settle();
    expect(rep.stats()).toMatchObject({ pending: 0, queued: 0, peers: 0 });
  });

  it("leaves nothing behind of a request that is decompressed when the socket is closed", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ decompressors: [compressor] });
    end.request(1, "ab", 5);
    await scene.settle();
    const closing = rep.close({ lingerMs: 0 });
    await scene.settle();
    compressor.finish();
    await scene.settle();
    await closing;
    expect([rep.stats().pending, scene.runtime.timersInMs]).toEqual([0, []]);
  });

  it("sends a reply that is being compressed before it closes", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ compressor, minCompressBytes: 1 });
    rep.serve(() => new Uint8Array(10));
    end.request(1, "a");
    await scene.settle();
    const closing = new Outcome(rep.close());
    await scene.settle();
    expect([closing.isSettled, end.isOver]).toEqual([false, false]);
    compressor.finish();
    await scene.settle();
    end.link.end();
    await scene.settle();
    expect(closing.isSettled).toBe(true);
    expect(end.frames("REQ")).toMatchObject([
      { type: "error reply", code: "MSG_DRAINING" },
      { type: "reply", id: 1, compression: 5 },
      { type: "error reply", code: "MSG_DRAINING" },
    ]);
  });

  it("sends the last reply also when it begins to be compressed while it closes", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ compressor, minCompressBytes: 1 });
    end.request(1, "a");
    await scene.settle();
    const request = await rep.receive();
    const closing = new Outcome(rep.close());
    await scene.settle();
    request.respond(new Uint8Array(10));
    await scene.settle();
    expect([closing.isSettled, end.isOver]).toEqual([false, false]);
    compressor.finish();
    await scene.settle();
    end.link.end();
    await scene.settle();
    expect(closing.isSettled).toBe(true);
    expect(end.frames("REQ").at(-2)).toMatchObject({ type: "reply", id: 1, compression: 5 });
    expect(replies(end).at(-1)).toBe(goodbye);
  });

  it("counts a reply that is being compressed as one of its peer's", async () => {
    const compressor = new SlowCompressor();
    const options = { compressor, minCompressBytes: 1, maxPending: 2 };
    const { scene, rep, end } = await setUp(options);
    rep.serve(() => new Uint8Array(10));
    for (let id = 1; id <= 5; id++) end.request(id, "a");
    await scene.settle();
    expect(compressor.pending).toBe(2);
    for (let round = 0; round < 3; round++) {
      compressor.finish();
      await scene.settle();
    }
    expect(end.frames("REQ")).toHaveLength(5);
  });

  it("answers INTERNAL when a reply cannot be compressed, and says why", async () => {
    const compressor = new SlowCompressor();
    const { scene, rep, end } = await setUp({ compressor, minCompressBytes: 1 });
    const errors = record(rep, "error");
    rep.serve(() => new Uint8Array(10));
    end.request(1, "a");
    await scene.settle();
    compressor.fail(new Error("out of memory"));
    await scene.settle();
    expect(replies(end)).toEqual(["1!INTERNAL"]);
    expect(errors.map(({ error }) => error.code)).toEqual(["MSG_COMPRESS_FAILED"]);
  });
});

describe("closing a REP", () => {
  it("says goodbye, refuses what did not run, lets what runs be answered, says so, then ends", async () => {
    const { scene, rep, end } = await setUp();
    let finish: ((text: string) => void) | undefined;
    const running = new Promise<string>((resolve) => {
      finish = resolve;
    });
    rep.serve(() => running, { concurrency: 1 });
    end.request(1, "runs");
    end.request(2, "waits");
    await scene.settle();
    const closing = new Outcome(rep.close());
    await scene.settle();
    end.request(3, "comes later");
    await scene.settle();
    expect(replies(end)).toEqual([goodbye, "2!MSG_DRAINING", "3!MSG_DRAINING"]);
    expect(end.isOver).toBe(false);
    finish?.("done");
    await scene.settle();
    expect([replies(end).slice(3), end.hasEnded]).toEqual([["1=done", goodbye], true]);
    end.link.end();
    await scene.settle();
    expect(closing.value).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("gives up what runs when its linger is over, aborts its signal, and reports it", async () => {
    const { scene, rep, end } = await setUp();
    end.request(1, "a");
    await scene.settle();
    const request = await rep.receive();
    const { signal } = request;
    const closing = new Outcome(rep.close({ lingerMs: 100 }));
    await scene.pass(100);
    expect([signal.aborted, closing.value]).toEqual([true, { unsent: 1, unacknowledged: 0 }]);
    request.respond("too late");
  });

  it("keeps what it owes a peer bounded that floods it while it drains", async () => {
    const { scene, rep, end } = await setUp({ sendHighWaterBytes: 10_000 });
    const [pair] = scene.network.pairs;
    end.request(1, "held");
    await scene.settle();
    await rep.receive();
    const closing = rep.close({ lingerMs: 1_000 });
    end.link.setReading(false);
    let most = 0;
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 1_000; i++) end.request(2, "");
      await scene.settle();
      most = Math.max(most, pair?.accepted.bufferedBytes ?? 0);
    }
    expect(most).toBeLessThan(30_000);
    await scene.pass(1_000);
    await closing;
  });
});

describe("iterating a REP", () => {
  it("gives every request once, fair over peers, and ends when it is closed", async () => {
    const { scene, rep, end } = await setUp();
    const other = await scene.rawDial();
    for (let id = 1; id <= 3; id++) end.request(id, `a${id}`);
    await scene.settle();
    other.request(1, "b1");
    await scene.settle();
    const seen: string[] = [];
    const walk = (async () => {
      for await (const request of rep) {
        seen.push(request.text());
        request.respond("");
      }
    })();
    await scene.settle();
    expect(seen).toEqual(["a1", "b1", "a2", "a3"]);
    end.link.destroy();
    other.link.destroy();
    await scene.settle();
    await rep.close();
    await walk;
  });

  it("in batches gives all that has come", async () => {
    const { scene, rep, end } = await setUp();
    for (let id = 1; id <= 5; id++) end.request(id, `${id}`);
    await scene.settle();
    const batches = rep.batches({ maxMessages: 3 });
    const sizes = [(await batches.next()).value, (await batches.next()).value] as Request[][];
    expect(sizes.map((batch) => batch.map((request) => request.text()))).toEqual([
      ["1", "2", "3"],
      ["4", "5"],
    ]);
    for (const request of sizes.flat()) request.respond("");
    await batches.return?.();
  });

  for (const maxMessages of [0, -1, 1.5, Number.NaN]) {
    it(`refuses maxMessages ${maxMessages}`, () => {
      const rep = new Scene().rep();
      expect(() => rep.batches({ maxMessages })).toThrow(withCode("MSG_INVALID_OPTION"));
    });
  }
});
