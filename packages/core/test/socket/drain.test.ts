import { naiveEncode } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { PullSocket } from "../../src/socket/push-pull/pull.ts";
import { PushSocket } from "../../src/socket/push-pull/push.ts";
import type { Job } from "../../src/socket/push-pull/job.ts";
import type { RawEnd } from "./scene.ts";
import { Outcome, record, Scene } from "./scene.ts";
import { SlowCompressor } from "./slow-compressor.ts";

const complete = { unsent: 0, unacknowledged: 0, isComplete: true };

const goodbye = {
  type: "error reply",
  id: 0xffff_ffff,
  code: "MSG_DRAINING",
  message: "",
} as const;

/** A promise that is settled by hand. */
function deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}

/** Pushes and pulls on the scene's clock. */
function pushOf(scene: Scene): PushSocket {
  return scene.own(new PushSocket(scene.network, { runtime: scene.runtime }));
}

function pullOf(scene: Scene, options: { delivery?: "at-most-once" } = {}): PullSocket {
  return scene.own(new PullSocket(scene.network, { runtime: scene.runtime, ...options }));
}

function replies(end: RawEnd | undefined): string[] {
  return (end?.frames("REQ") ?? []).map((frame) => {
    if (frame.type === "reply") return new TextDecoder().decode(frame.payload);
    return frame.type === "error reply" ? frame.code : frame.type;
  });
}

describe("drain() of every socket", () => {
  const make = {
    REQ: (scene: Scene) => scene.req(),
    REP: (scene: Scene) => scene.rep(),
    PUB: (scene: Scene) => scene.pub(),
    SUB: (scene: Scene) => scene.sub(),
    PUSH: pushOf,
    PULL: pullOf,
  } as const;

  for (const [name, create] of Object.entries(make)) {
    describe(`a ${name}`, () => {
      it("with nothing to do closes, once, however often it is asked", async () => {
        const scene = new Scene();
        const socket = create(scene);
        const told = record(socket, "draining");
        const closed = record(socket, "closed");
        await socket.bind("here");
        const first = socket.drain();
        expect([socket.isDraining, socket.isClosed, socket.drain()]).toEqual([true, false, first]);
        const outcome = new Outcome(first);
        await scene.pass(2_000);
        expect([outcome.value, told, closed]).toEqual([
          complete,
          [{ peer: undefined }],
          [{ unsent: 0, unacknowledged: 0 }],
        ]);
        expect([socket.isClosed, await socket.close()]).toEqual([true, closed[0]]);
      });

      it("refuses what is new with MSG_CLOSED, and who waits for a peer", async () => {
        const scene = new Scene();
        const socket = create(scene);
        const waiting = new Outcome(socket.ready());
        void socket.drain();
        await scene.settle();
        expect(waiting.code).toBe("MSG_CLOSED");
        for (const call of [() => socket.bind("x"), () => socket.connect("x")]) {
          expect(call).toThrow(expect.objectContaining({ code: "MSG_CLOSED" }) as Error);
        }
      });

      it("takes its time from a number only, from 0 on", () => {
        const socket = create(new Scene());
        for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
          expect(() => socket.drain({ timeoutMs })).toThrow(
            expect.objectContaining({ code: "MSG_INVALID_OPTION" }) as Error,
          );
        }
        expect(socket.isDraining).toBe(false);
      });

      for (const timeoutMs of [0, 1, 100, Infinity]) {
        it(`has its end with timeoutMs ${timeoutMs}`, async () => {
          const scene = new Scene();
          const outcome = new Outcome(create(scene).drain({ timeoutMs }));
          await scene.pass(2_000);
          expect(outcome.isSettled).toBe(true);
        });
      }

      it("that is closed gives what was reported then", async () => {
        const scene = new Scene();
        const socket = create(scene);
        const closed = new Outcome(socket.close());
        const drained = new Outcome(socket.drain());
        await scene.settle();
        expect([closed.isSettled, drained.value]).toEqual([
          true,
          { ...complete, isComplete: false },
        ]);
      });
    });
  }
});

describe("a REP that drains", () => {
  it("lets an idle REQ go at once, which then asks somebody else", async () => {
    const scene = new Scene();
    const [old, other] = [scene.rep(), scene.rep()];
    old.serve(() => "old");
    other.serve(() => "other");
    await old.bind("old");
    await other.bind("other");
    const req = scene.req();
    const told = record(req, "draining");
    await req.connect("old");
    await req.connect("other");
    await scene.settle();
    const drained = new Outcome(old.drain());
    await scene.settle();
    expect([drained.value, told.map(({ peer }) => peer?.endpoint)]).toEqual([complete, ["old"]]);
    const answers = [1, 2, 3].map(() => new Outcome(req.request("x")));
    await scene.settle();
    expect(answers.map(({ value }) => value?.text())).toEqual(["other", "other", "other"]);
  });

  it("answers what it was asked, also what it had not begun, and then ends with a goodbye", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    const end = await scene.rawDial();
    const works = [deferred<string>(), deferred<string>()];
    let calls = 0;
    rep.serve(() => works[calls++]?.promise ?? "more", { concurrency: 1 });
    end.request(1, "runs");
    end.request(2, "waits");
    await scene.settle();
    const drained = new Outcome(rep.drain());
    await scene.settle();
    end.request(3, "was on its way");
    await scene.settle();
    expect(replies(end)).toEqual(["MSG_DRAINING"]);
    works[0]?.resolve("one");
    works[1]?.resolve("two");
    await scene.settle();
    expect([replies(end), end.hasEnded]).toEqual([
      ["MSG_DRAINING", "one", "two", "more", "MSG_DRAINING"],
      true,
    ]);
    end.link.end();
    await scene.settle();
    expect(drained.value).toEqual(complete);
  });

  it("lets each peer go when it owes that one nothing, and waits for the slowest", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    const [busy, idle] = [await scene.rawDial(), await scene.rawDial()];
    const work = deferred<string>();
    rep.serve(() => work.promise);
    busy.request(1, "x");
    await scene.settle();
    const drained = new Outcome(rep.drain());
    await scene.settle();
    expect([idle.hasEnded, busy.hasEnded, drained.isSettled]).toEqual([true, false, false]);
    await scene.pass(20_000);
    work.resolve("late");
    idle.link.end();
    busy.link.end();
    await scene.settle();
    expect([replies(busy), drained.value]).toEqual([
      ["MSG_DRAINING", "late", "MSG_DRAINING"],
      complete,
    ]);
  });

  it("reads nothing more from a peer that asks on and on after a second", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    const end = await scene.rawDial();
    rep.serve(async (request) => {
      await new Promise<void>((resolve) => void scene.runtime.setTimer(resolve, 10));
      return request.text();
    });
    let id = 0;
    const ask = (): void => {
      if (end.hasEnded) return;
      end.request(++id, `${id}`);
      scene.runtime.setTimer(ask, 5);
    };
    ask();
    await scene.pass(100);
    const drained = new Outcome(rep.drain({ timeoutMs: 10_000 }));
    await scene.pass(1_200);
    expect(end.hasEnded).toBe(true);
    end.link.end();
    await scene.settle();
    expect([drained.value, replies(end).at(-1)]).toEqual([complete, "MSG_DRAINING"]);
  });

  it("refuses at its deadline what nobody took, so that it runs elsewhere, and reports the rest", async () => {
    const scene = new Scene();
    const [old, other] = [scene.rep(), scene.rep()];
    await old.bind("old");
    await other.bind("other");
    other.serve(() => "other");
    const req = scene.req({ timeoutMs: Infinity });
    await req.connect("old");
    await scene.settle();
    const asked = [new Outcome(req.request("taken")), new Outcome(req.request("not taken"))];
    await scene.settle();
    await old.receive();
    await req.connect("other");
    const drained = new Outcome(old.drain({ timeoutMs: 1_000 }));
    await scene.pass(899);
    expect([drained.isSettled, asked[1]?.isSettled]).toEqual([false, false]);
    await scene.pass(101);
    expect(drained.value).toEqual({ unsent: 1, unacknowledged: 0, isComplete: false });
    await scene.settle();
    expect([asked[0]?.code, asked[1]?.value?.text()]).toEqual(["MSG_PEER_LOST", "other"]);
  });

  it("is cut short by close(), which both tell", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    const end = await scene.rawDial();
    end.request(1, "x");
    await scene.settle();
    await rep.receive();
    const drained = new Outcome(rep.drain());
    await scene.pass(5_000);
    const closed = new Outcome(rep.close({ lingerMs: 100 }));
    await scene.pass(100);
    expect([drained.value, closed.value]).toEqual([
      { unsent: 1, unacknowledged: 0, isComplete: false },
      { unsent: 1, unacknowledged: 0 },
    ]);
  });

  it("takes in who had connected by then, and sends it away in order", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    const dialing = scene.rawDial();
    const drained = new Outcome(rep.drain());
    const end = await dialing;
    await scene.settle();
    expect([replies(end), end.hasEnded]).toEqual([["MSG_DRAINING", "MSG_DRAINING"], true]);
    end.link.end();
    await scene.settle();
    expect(drained.value).toEqual(complete);
    await expect(scene.rawDial()).rejects.toMatchObject({ code: "MSG_DIAL_FAILED" });
  });

  it("called by its own handler waits for that handler's answer", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    const end = await scene.rawDial();
    let drained: Outcome<unknown> | undefined;
    rep.serve(() => {
      drained ??= new Outcome(rep.drain());
      return "last";
    });
    end.request(1, "x");
    await scene.settle();
    end.link.end();
    await scene.settle();
    expect([replies(end), drained?.value]).toEqual([
      ["last", "MSG_DRAINING", "MSG_DRAINING"],
      complete,
    ]);
  });

  it("answers what is still decompressed", async () => {
    const scene = new Scene();
    const compressor = new SlowCompressor();
    const rep = scene.rep({ decompressors: [compressor] });
    const work = deferred<string>();
    rep.serve((request) => (request.text() === "slow" ? work.promise : "answer"));
    await rep.bind("here");
    const [end, busy] = [await scene.rawDial(), await scene.rawDial()];
    end.request(1, "ab", 5);
    busy.request(1, "slow");
    await scene.settle();
    const drained = new Outcome(rep.drain());
    await scene.settle();
    compressor.finish();
    await scene.settle();
    expect(replies(end)).toEqual(["MSG_DRAINING", "answer", "MSG_DRAINING"]);
    work.resolve("done");
    end.link.end();
    busy.link.end();
    await scene.settle();
    expect(drained.value).toEqual(complete);
  });
});

describe("a REQ whose REP says goodbye", () => {
  it("twice, and ends: what is not answered did not run, and is asked elsewhere", async () => {
    const scene = new Scene();
    const [here, there] = [await scene.rawListen("here"), await scene.rawListen("there")];
    const req = scene.req();
    await req.connect("here");
    await scene.settle();
    const outcomes = [new Outcome(req.request("answered")), new Outcome(req.request("crossed"))];
    await scene.settle();
    await req.connect("there");
    await scene.settle();
    here[0]?.send(goodbye);
    here[0]?.reply(1, "one");
    here[0]?.send(goodbye);
    here[0]?.link.end();
    await scene.settle();
    expect(there[0]?.frames("REP")).toMatchObject([{ type: "request", id: 2 }]);
    there[0]?.reply(2, "two");
    await scene.settle();
    expect(outcomes.map(({ value }) => value?.text())).toEqual(["one", "two"]);
  });

  it("once, and ends: nobody knows what ran, so it rejects with MSG_PEER_LOST", async () => {
    const scene = new Scene();
    const here = await scene.rawListen("here");
    const req = scene.req();
    await req.connect("here");
    await scene.settle();
    const outcome = new Outcome(req.request("x"));
    await scene.settle();
    here[0]?.send(goodbye);
    here[0]?.link.end();
    await scene.settle();
    expect(outcome.code).toBe("MSG_PEER_LOST");
  });

  it("twice, behind a reply that is still decompressed, takes that reply and asks nobody else", async () => {
    const scene = new Scene();
    const compressor = new SlowCompressor();
    const [here, there] = [await scene.rawListen("here"), await scene.rawListen("there")];
    const req = scene.req({ decompressors: [compressor] });
    await req.connect("here");
    await scene.settle();
    const outcomes = [new Outcome(req.request("slow")), new Outcome(req.request("crossed"))];
    await scene.settle();
    await req.connect("there");
    await scene.settle();
    here[0]?.send(goodbye);
    here[0]?.reply(1, "ab", 5);
    here[0]?.send(goodbye);
    here[0]?.link.end();
    await scene.settle();
    expect(there[0]?.frames("REP")).toEqual([]);
    compressor.finish();
    await scene.settle();
    expect([outcomes[0]?.isSettled, outcomes[0]?.error]).toEqual([true, undefined]);
    expect(there[0]?.frames("REP")).toMatchObject([{ type: "request", id: 2 }]);
  });

  it("twice, and breaks: what was not answered is asked elsewhere too", async () => {
    const scene = new Scene();
    const [here, there] = [await scene.rawListen("here"), await scene.rawListen("there")];
    const req = scene.req();
    await req.connect("here");
    await scene.settle();
    void req.request("crossed");
    await scene.settle();
    await req.connect("there");
    await scene.settle();
    here[0]?.send(goodbye, goodbye);
    await scene.settle();
    scene.network.pairs[0]?.dialed.cut();
    await scene.settle();
    expect(there[0]?.frames("REP")).toMatchObject([{ type: "request", id: 1 }]);
  });
});

describe("a REQ that drains", () => {
  it("waits for the answers of all it asked, also for a peer that is not there yet", async () => {
    const scene = new Scene();
    const req = scene.req({ timeoutMs: Infinity });
    await req.connect("here");
    const outcome = new Outcome(req.request("x"));
    const drained = new Outcome(req.drain());
    await scene.pass(10_000);
    expect([outcome.isSettled, drained.isSettled]).toEqual([false, false]);
    expect(() => req.request("new")).toThrow(
      expect.objectContaining({ code: "MSG_CLOSED" }) as Error,
    );
    const rep = scene.rep();
    rep.serve(() => "answer");
    await rep.bind("here");
    await scene.pass(6_000);
    expect([outcome.value?.text(), drained.value]).toEqual(["answer", complete]);
  });

  it("rejects at its deadline what has no answer, and reports it", async () => {
    const scene = new Scene();
    const ends = await scene.rawListen("here");
    const req = scene.req({ timeoutMs: Infinity, maxInFlight: 1 });
    await req.connect("here");
    await scene.settle();
    const outcomes = [new Outcome(req.request("sent")), new Outcome(req.request("waits"))];
    const drained = new Outcome(req.drain({ timeoutMs: 1_000 }));
    await scene.pass(1_000);
    expect(ends[0]?.frames("REP")).toHaveLength(1);
    expect(outcomes.map(({ code }) => code)).toEqual(["MSG_CLOSED", "MSG_CLOSED"]);
    expect(drained.value).toEqual({ unsent: 1, unacknowledged: 1, isComplete: false });
  });
});

describe("a PULL that drains", () => {
  it("does all jobs it was given, also those on their way, and none is given to another again", async () => {
    const scene = new Scene();
    const push = pushOf(scene);
    const told = record(push, "draining");
    const [old, other] = [pullOf(scene), pullOf(scene)];
    const done: [who: string, job: Job][] = [];
    const workBy = (who: string) => async (job: Job) => {
      await new Promise<void>((resolve) => void scene.runtime.setTimer(resolve, 1));
      done.push([who, job]);
    };
    old.consume(workBy("old"));
    other.consume(workBy("other"));
    await scene.join(push, old, other);
    for (let i = 0; i < 100; i++) void push.send(`${i}`);
    await scene.settle();
    const drained = new Outcome(old.drain());
    for (let i = 100; i < 200; i++) void push.send(`${i}`);
    await scene.pass(500);
    expect([drained.value, told]).toHaveLength(2);
    expect(drained.value).toEqual(complete);
    expect(told).toMatchObject([{ peer: { endpoint: "here" } }]);
    expect(done).toHaveLength(200);
    expect(new Set(done.map(([, job]) => job.deliveryCount))).toEqual(new Set([1]));
    expect(push.stats()).toMatchObject({ acknowledged: 200, redelivered: 0, refusedJobs: 0 });
    expect(done.filter(([who]) => who === "old").length).toBeGreaterThanOrEqual(50);
  });

  it("gives back at its deadline what nobody took", async () => {
    const scene = new Scene();
    const push = pushOf(scene);
    const pull = pullOf(scene);
    await scene.join(push, pull);
    for (let i = 0; i < 3; i++) void push.send(`${i}`);
    await scene.settle();
    const drained = new Outcome(pull.drain({ timeoutMs: 1_000 }));
    await scene.pass(1_000);
    expect([drained.value?.isComplete, push.stats()]).toMatchObject([false, { returned: 3 }]);
  });

  it("goes on giving jobs to who takes them by receive()", async () => {
    const scene = new Scene();
    const push = pushOf(scene);
    const pull = pullOf(scene);
    await scene.join(push, pull);
    void push.send("a");
    await scene.settle();
    const drained = new Outcome(pull.drain());
    await scene.settle();
    (await pull.receive()).ack();
    await scene.settle();
    expect(drained.value).toEqual(complete);
  });

  it("does what it acknowledged on arrival too", async () => {
    const scene = new Scene();
    const push = pushOf(scene);
    const pull = pullOf(scene, { delivery: "at-most-once" });
    const done: string[] = [];
    await scene.join(push, pull);
    for (let i = 0; i < 5; i++) void push.send(`${i}`);
    await scene.settle();
    const drained = new Outcome(pull.drain());
    await scene.settle();
    expect(drained.isSettled).toBe(false);
    pull.consume(async (job) => {
      await new Promise<void>((resolve) => void scene.runtime.setTimer(resolve, 10));
      done.push(job.text());
    });
    await scene.pass(100);
    expect([drained.value, done]).toEqual([complete, ["0", "1", "2", "3", "4"]]);
  });

  it("waits a second, not longer, for a PUSH that does not end its connection", async () => {
    const scene = new Scene();
    const pull = pullOf(scene);
    await pull.bind("here");
    const end = await scene.rawDial();
    end.link.write([naiveEncode({ type: "hello", socketType: 5, name: "" })]);
    await scene.settle();
    const drained = new Outcome(pull.drain());
    await scene.pass(999);
    expect(end.hasEnded).toBe(false);
    await scene.pass(1);
    expect(end.hasEnded).toBe(true);
    end.link.end();
    await scene.settle();
    expect(drained.value).toEqual(complete);
  });
});

describe("a PUSH that drains", () => {
  it("hands out what waits, also to a PULL that comes only now", async () => {
    const scene = new Scene();
    const push = pushOf(scene);
    await push.bind("here");
    const sent = new Outcome(Promise.resolve(push.send("a")));
    const drained = new Outcome(push.drain());
    await scene.pass(10_000);
    expect(() => push.send("b")).toThrow(expect.objectContaining({ code: "MSG_CLOSED" }) as Error);
    expect(() => push.trySend("b")).toThrow(
      expect.objectContaining({ code: "MSG_CLOSED" }) as Error,
    );
    const settled = new Outcome(push.settled());
    const pull = pullOf(scene);
    pull.consume(() => {});
    await pull.connect("here");
    await scene.pass(1_000);
    expect([sent.error, settled.error, drained.value]).toEqual([undefined, undefined, complete]);
  });

  it("reports at its deadline what nobody took and what nobody acknowledged", async () => {
    const scene = new Scene();
    const push = pushOf(scene);
    const pull = scene.own(new PullSocket(scene.network, { runtime: scene.runtime, window: 1 }));
    await scene.join(push, pull);
    for (let i = 0; i < 3; i++) void Promise.resolve(push.send(`${i}`)).catch(() => {});
    await scene.settle();
    await pull.receive();
    const drained = new Outcome(push.drain({ timeoutMs: 500 }));
    await scene.pass(500);
    expect(drained.value).toEqual({ unsent: 2, unacknowledged: 1, isComplete: false });
  });
});

describe("a PUB that drains", () => {
  it("sends each subscriber all it has, says goodbye behind it, and takes nothing new", async () => {
    const scene = new Scene();
    const pub = scene.pub();
    const [first, second] = [scene.sub(), scene.sub()];
    const told = [record(first, "draining"), record(second, "draining")];
    const gaps = record(first, "gap");
    await scene.join(pub, first, second);
    void first.subscribe("a");
    void second.subscribe("a");
    await scene.settle();
    const heard: string[] = [];
    first.consume((message) => void heard.push(message.text()));
    for (let i = 0; i < 10; i++) void pub.publish("a", `${i}`);
    const drained = new Outcome(pub.drain());
    expect(() => pub.publish("a", "new")).toThrow(
      expect.objectContaining({ code: "MSG_CLOSED" }) as Error,
    );
    await scene.settle();
    expect([drained.value, heard.length, told.map((each) => each.length)]).toEqual([
      complete,
      10,
      [1, 1],
    ]);
    const next = scene.pub();
    await next.bind("here");
    await scene.pass(6_000);
    expect([first.peers.length, gaps]).toMatchObject([1, [{ lost: undefined }]]);
  });

  it("lets a fast subscriber go while a slow one still reads", async () => {
    const scene = new Scene();
    const pub = scene.pub({ sendHighWaterBytes: 1_000 });
    await pub.bind("here");
    const [fast, slow] = [await scene.rawDial(), await scene.rawDial()];
    fast.subscribe("a");
    slow.subscribe("a");
    await scene.settle();
    slow.link.setReading(false);
    for (let i = 0; i < 300; i++) void pub.publish("a", "x".repeat(1_000));
    await scene.settle();
    const drained = new Outcome(pub.drain());
    await scene.settle();
    expect([fast.hasEnded, slow.hasEnded, drained.isSettled]).toEqual([true, false, false]);
    slow.link.setReading(true);
    await scene.settle();
    fast.link.end();
    slow.link.end();
    await scene.settle();
    expect([slow.frames("SUB").length, drained.value]).toEqual([300, complete]);
  });
});

describe("a PUB that drains, with a subscriber that never ends its side (msg-rs)", () => {
  it("waits a second for it, from when everything was handed over", async () => {
    const scene = new Scene();
    const pub = scene.pub({ sendHighWaterBytes: 1_000 });
    await pub.bind("here");
    const silent = await scene.rawDial();
    silent.subscribe("a");
    await scene.settle();
    silent.link.setReading(false);
    for (let i = 0; i < 300; i++) void pub.publish("a", "x".repeat(1_000));
    const drained = new Outcome(pub.drain());
    await scene.pass(5_000);
    expect([silent.hasEnded, drained.isSettled]).toEqual([false, false]);
    silent.link.setReading(true);
    await scene.settle();
    expect([silent.frames("SUB").length, silent.hasEnded]).toEqual([300, true]);
    await scene.pass(999);
    expect(drained.isSettled).toBe(false);
    await scene.pass(1);
    expect(drained.value).toEqual(complete);
  });
});

describe("a SUB that drains", () => {
  it("takes its subscriptions back, hands out what has come, and closes", async () => {
    const scene = new Scene();
    const pub = scene.pub();
    const sub = scene.sub();
    await scene.join(pub, sub);
    void sub.subscribe("a");
    await scene.settle();
    for (let i = 0; i < 3; i++) void pub.publish("a", `${i}`);
    await scene.settle();
    const drained = new Outcome(sub.drain());
    await scene.settle();
    expect([pub.stats().subscriptions, drained.isSettled]).toEqual([0, false]);
    const heard: string[] = [];
    const loop = (async (): Promise<void> => {
      for await (const message of sub) heard.push(message.text());
    })();
    await scene.settle();
    await loop;
    expect([heard, drained.value]).toEqual([["0", "1", "2"], complete]);
  });
});
