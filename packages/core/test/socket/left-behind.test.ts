import { describe, expect, it } from "vitest";
import { PullSocket } from "../../src/socket/push-pull/pull.ts";
import { Scene } from "./scene.ts";

// Found by simulation, pub-sub seed 122: each peer that came and went left a share of its own.
describe("what peers left that are gone, where nobody takes it,", () => {
  it("is bounded at a SUB as one more publisher's, however many come and go", async () => {
    const scene = new Scene();
    const sub = scene.sub({ maxQueued: 10 });
    await sub.bind("here");
    void sub.subscribe(">", { timeoutMs: Infinity });
    for (let round = 0; round < 20; round++) {
      const pub = scene.pub();
      await pub.connect("here");
      await scene.pass(10);
      for (let i = 0; i < 30; i++) void pub.publish("a", `${round}`);
      await scene.settle();
      void pub.close({ lingerMs: 0 });
      await scene.settle();
    }
    expect(sub.stats().queued).toBeLessThanOrEqual(2 * 10);

    // What is taken makes room: publishers are heard again.
    sub.consume(() => {});
    const pub = scene.pub();
    await pub.connect("here");
    await scene.pass(1_000);
    void pub.publish("a", "at last");
    const received = sub.stats().messagesReceived;
    await scene.settle();
    expect(sub.stats()).toMatchObject({ queued: 0, messagesReceived: received + 1 });
  });

  it("is bounded at a PULL as one more PUSH's, and given all the same", async () => {
    const scene = new Scene();
    const pull = scene.own(new PullSocket(scene.network, { runtime: scene.runtime, window: 10 }));
    await pull.bind("here");
    for (let round = 0; round < 20; round++) {
      const end = await scene.rawDial();
      end.send({ type: "hello", socketType: 5, name: "" });
      await scene.settle();
      for (let sequence = 0; sequence < 10; sequence++) {
        const payload = new Uint8Array([round]);
        end.send({ type: "job", sequence, earlierDeliveries: 0, compression: 0, payload });
      }
      await scene.settle();
      end.link.destroy();
      await scene.settle();
    }
    const { queued } = pull.stats();
    expect(queued).toBeGreaterThan(0);
    expect(queued).toBeLessThanOrEqual(2 * 10);
    let given = 0;
    pull.consume(() => void given++);
    await scene.settle();
    expect([given, pull.stats().queued]).toEqual([queued, 0]);
  });
});
