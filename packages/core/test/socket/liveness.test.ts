import assert from "node:assert/strict";
import process from "node:process";
import fc from "fast-check";
import { describe, it } from "vitest";
import { PullSocket } from "../../src/socket/push-pull/pull.ts";
import { PushSocket } from "../../src/socket/push-pull/push.ts";
import { Outcome, Scene } from "./scene.ts";

/** Bounds that are reached at once. */
const tight = {
  sendHighWaterBytes: 200,
  maxMessageBytes: 5_000,
  reconnect: { minDelayMs: 5, maxDelayMs: 20 },
} as const;

type Trouble = "cut" | "hold" | "unhold" | "pass";

interface Step {
  readonly what: "act" | "take" | Trouble;
  readonly random: number;
}

function stepsWith(trouble: readonly Trouble[]): fc.Arbitrary<Step[]> {
  const random = fc.nat(1_000);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant("act" as const), random }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constant("take" as const), random }) },
    { weight: 3, arbitrary: fc.record({ what: fc.constantFrom(...trouble), random }) },
  );
  return fc.array(step, { minLength: 5, maxLength: 80 });
}

/** The network between two sockets fails as told; in the end it is well. */
async function run(
  scene: Scene,
  steps: readonly Step[],
  act: (random: number) => void,
  take: (random: number) => void,
): Promise<void> {
  for (const { what, random } of steps) {
    const { pairs } = scene.network;
    const link = pairs.at(-1)?.[random % 2 === 0 ? "dialed" : "accepted"];
    if (what === "act") act(random);
    else if (what === "take") take(random);
    else if (what === "pass") await scene.pass(random % 30);
    else if (what === "cut") scene.network.cut();
    else if (what === "hold") link?.hold();
    else link?.unhold();
    if (random % 3 > 0) await scene.settle();
  }
  for (const pair of scene.network.pairs) {
    pair.dialed.unhold();
    pair.accepted.unhold();
  }
  await scene.pass(1_000);
}

async function check(
  steps: fc.Arbitrary<Step[]>,
  body: (scene: Scene, steps: Step[]) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(steps, async (given) => {
    const scene = new Scene({ takesDown: false });
    scene.network.linkOptions = { capacityBytes: 300 };
    await body(scene, given);
    await scene.takeDown();
  });
  await fc.assert(property, { numRuns: Number(process.env["CHAOS_RUNS"] ?? 40) });
}

describe("when the network is well in the end", { timeout: 60_000 }, () => {
  it("every request that may be sent again is answered rightly", async () => {
    await check(stepsWith(["cut", "hold", "unhold", "pass"]), async (scene, steps) => {
      const terms = { retry: true, timeoutMs: Infinity, maxInFlight: 3, maxQueued: Infinity };
      const req = scene.req({ ...tight, ...terms });
      const rep = scene.rep({ ...tight, maxPending: 2, answerTimeoutMs: Infinity });
      const held: (() => void)[] = [];
      let holds = true;
      rep.serve((request) => {
        if (!holds) return request.payload;
        return new Promise<Uint8Array>((resolve) => held.push(() => resolve(request.payload)));
      });
      await scene.join(rep, req);
      const outcomes: Outcome<string>[] = [];
      const act = (random: number): void => {
        const text = `${outcomes.length}${"x".repeat(random % 400)}`;
        const reply = req.request(text).then((message) => {
          assert.equal(message.text(), text);
          return text;
        });
        outcomes.push(new Outcome(reply));
      };
      await run(scene, steps, act, (random) => held.splice(random % 5, 1)[0]?.());
      holds = false;
      for (let round = 0; round < 200 && held.length > 0; round++) {
        for (const go of held.splice(0)) go();
        await scene.pass(50);
      }
      const unanswered = outcomes.filter(({ value }) => value === undefined);
      assert.equal(unanswered.length, 0, "requests without an answer");
      const { pending, queued, inFlight } = req.stats();
      assert.deepEqual({ pending, queued, inFlight }, { pending: 0, queued: 0, inFlight: 0 });
    });
  });

  for (const whenSlow of ["drop-newest", "drop-oldest", "wait"] as const) {
    it(`what a SUB got and what it knows to be lost is what was published (${whenSlow})`, async () => {
      await check(stepsWith(["hold", "unhold", "pass"]), async (scene, steps) => {
        const pub = scene.pub({ ...tight, whenSlow, maxQueued: 3, maxWaiting: Infinity });
        const sub = scene.sub({ ...tight, maxQueued: 3 });
        await scene.join(pub, sub);
        void sub.subscribe("a");
        await scene.settle();
        let published = 0;
        let received = 0;
        let last = -1;
        const receive = (): void => {
          sub.receive({ timeoutMs: 0 }).then(
            ({ sequence }) => {
              assert.ok(sequence > last, "out of order");
              last = sequence;
              received++;
            },
            () => {},
          );
        };
        const act = (random: number): void => {
          void pub.publish("a", new Uint8Array(random % 300));
          published++;
        };
        await run(scene, steps, act, receive);
        for (let round = 0; round < 200 && received + sub.stats().lost < published; round++) {
          receive();
          await scene.pass(5);
        }
        assert.equal(received + sub.stats().lost, published);
        assert.equal(pub.stats().dropped["slow-subscriber"] ?? 0, sub.stats().lost);
        if (whenSlow === "wait") assert.equal(sub.stats().lost, 0);
        const { queued, waiting } = pub.stats();
        assert.deepEqual({ queued, waiting }, { queued: 0, waiting: 0 });
      });
    });
  }

  it("a SUB hears what is published then, however often it was cut off", async () => {
    await check(stepsWith(["cut", "hold", "unhold", "pass"]), async (scene, steps) => {
      const pub = scene.pub({ ...tight, maxQueued: 3, heartbeatMs: 200 });
      const sub = scene.sub({ ...tight, maxQueued: 3, heartbeatMs: 200 });
      await scene.join(pub, sub);
      const topics = ["a", "b.*", "c.>"];
      for (const topic of topics) void sub.subscribe(topic);
      const publish = (random: number): void => {
        void pub.publish(["a", "b.c", "c.d.e"][random % 3] ?? "", new Uint8Array(random % 300));
      };
      const toggle = (random: number): void => {
        const topic = topics[random % 3] ?? "";
        if (sub.subscriptions.includes(topic)) sub.unsubscribe(topic);
        else void sub.subscribe(topic);
      };
      await run(scene, steps, publish, toggle);
      const heard = new Set<string>();
      sub.consume((message) => {
        if (message.text() === "the end") heard.add(message.topic);
      });
      await scene.pass(1_000);
      for (const topic of topics) if (!sub.subscriptions.includes(topic)) void sub.subscribe(topic);
      await scene.settle();
      for (const topic of ["a", "b.c", "c.d.e"]) void pub.publish(topic, "the end");
      await scene.settle();
      assert.deepEqual(heard, new Set(["a", "b.c", "c.d.e"]));
    });
  });

  it("every job is done, whatever its workers refused or lost", async () => {
    await check(stepsWith(["cut", "hold", "unhold", "pass"]), async (scene, steps) => {
      const { runtime, network } = scene;
      const push = scene.own(
        new PushSocket(network, {
          ...tight,
          runtime,
          maxUnacked: 3,
          maxDeliveries: Infinity,
          maxWaiting: Infinity,
          redeliveryDelayMs: 5,
        }),
      );
      const pull = scene.own(new PullSocket(network, { ...tight, runtime, window: 4 }));
      await scene.join(push, pull);
      const sent: string[] = [];
      const done = new Set<string>();
      const act = (random: number): void => {
        const text = `${sent.length}${"x".repeat(random % 300)}`;
        sent.push(text);
        void push.send(text);
      };
      const take = (random: number): void => {
        pull.receive({ timeoutMs: 0 }).then(
          (job) => {
            if (random % 4 === 0) job.nack();
            else if (job.ack()) done.add(job.text());
          },
          () => {},
        );
      };
      await run(scene, steps, act, take);
      pull.consume((job) => void done.add(job.text()));
      await scene.pass(60_000);
      assert.deepEqual(
        sent.filter((text) => !done.has(text)),
        [],
      );
      const { waiting, returned, unacknowledged } = push.stats();
      assert.deepEqual(
        { waiting, returned, unacknowledged },
        { waiting: 0, returned: 0, unacknowledged: 0 },
      );
    });
  });
});
