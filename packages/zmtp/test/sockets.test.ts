import {
  msg,
  multipart,
  PubSocket,
  PullSocket,
  PushSocket,
  ReplyError,
  RepSocket,
  ReqSocket,
  SubSocket,
} from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { closing, inproc, record, texts } from "./rig.ts";

const protocol = zmtp();

describe("REQ and REP over ZMTP", () => {
  it("have many requests under way, and answer each", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol }));
    rep.serve(async (request) => {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, Math.random() * 5);
      });
      return `re ${request.text()}`;
    });
    await rep.bind("here");
    await req.connect("here");
    const asked = Array.from({ length: 100 }, (_, i) => req.request(String(i)));
    const replies = await Promise.all(asked);
    expect(replies.map((reply) => reply.text())).toEqual(asked.map((_, i) => `re ${i}`));
  });

  it("carry payloads of every size", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol }));
    rep.serve((request) => request.payload);
    await rep.bind("here");
    await req.connect("here");
    for (const length of [0, 1, 255, 256, 16_384, 16_385, 1_000_000, 5_000_000]) {
      const payload = new Uint8Array(length).fill(length % 251);
      const reply = await req.request(payload);
      expect(Buffer.compare(reply.payload, payload)).toBe(0);
    }
  });

  it("carry messages of several parts", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol }));
    rep.serve((request) => multipart(request.parts.toReversed()));
    await rep.bind("here");
    await req.connect("here");
    const reply = await req.request(multipart(["a", "", "b".repeat(300), "c"]));
    expect(texts(reply.parts)).toEqual(["c", "b".repeat(300), "", "a"]);
    expect(reply.text()).toBe("c");
  });

  it("carry all parts also where each peer's requests have to be allowed", async () => {
    for (const authorize of [() => true, async () => true]) {
      const net = inproc();
      const rep = closing(new RepSocket(net, { protocol, authorize }));
      const req = closing(new ReqSocket(net, { protocol }));
      rep.serve((request) => multipart(request.parts));
      await rep.bind("here");
      await req.connect("here");
      const reply = await req.request(multipart(["a", "b"]));
      expect(texts(reply.parts)).toEqual(["a", "b"]);
    }
  });

  it("carry parts also of a payload that is to be copied", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol }));
    rep.serve((request) => multipart(request.parts));
    await rep.bind("here");
    await req.connect("here");
    const reply = await req.request(multipart(["a", "b"]), { copy: true });
    expect(texts(reply.parts)).toEqual(["a", "b"]);
  });

  it("tell an error with its code, and nobody waits for ever", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol }));
    rep.serve(() => {
      throw new ReplyError("NOT_FOUND", "no user 7");
    });
    await rep.bind("here");
    await req.connect("here");
    await expect(req.request("user 7")).rejects.toMatchObject({
      code: "MSG_REMOTE",
      remoteCode: "NOT_FOUND",
      message: "no user 7",
    });
  });

  it("tell a REQ that nobody answered in time", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol, answerTimeoutMs: 20 }));
    const req = closing(new ReqSocket(net, { protocol }));
    await rep.bind("here");
    await req.connect("here");
    await expect(req.request("x")).rejects.toMatchObject({ code: "MSG_NO_ANSWER" });
  });

  it("without numbers have one request under way at a time", async () => {
    const net = inproc();
    let running = 0;
    let most = 0;
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol: zmtp({ correlate: false }) }));
    rep.serve(async (request) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      running--;
      return request.payload;
    });
    await rep.bind("here");
    await req.connect("here");
    const replies = await Promise.all(["a", "b", "c"].map((text) => req.request(text)));
    expect(replies.map((reply) => reply.text())).toEqual(["a", "b", "c"]);
    expect(most).toBe(1);
  });

  it("without numbers never take a late answer for another request's", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const req = closing(new ReqSocket(net, { protocol: zmtp({ correlate: false }) }));
    const disconnected = record(req, "disconnected");
    await rep.bind("here");
    await req.connect("here");
    await req.ready();
    await expect(req.request("slow", { timeoutMs: 20 })).rejects.toMatchObject({
      code: "MSG_TIMEOUT",
    });
    const slow = await rep.receive();
    slow.respond("late");
    const next = req.request("next");
    (await rep.receive()).respond("right");
    expect((await next).text()).toBe("right");
    expect(disconnected[0]?.reason?.code).toBe("MSG_PEER_LOST");
  });
});

describe("PUB and SUB over ZMTP", () => {
  it("deliver what begins as a subscription does, and nothing else", async () => {
    const net = inproc();
    const pub = closing(new PubSocket(net, { protocol }));
    const sub = closing(new SubSocket(net, { protocol }));
    await pub.bind("here");
    await sub.connect("here");
    await sub.subscribe("news.");
    await pub.waitForSubscriber("news.x");
    void pub.publish("new", "no");
    void pub.publish("news.sport", "yes");
    void pub.publish("MSG.any", "no");
    void pub.publish("news.*", multipart(["two", "parts"]));
    const first = await sub.receive();
    expect([first.topic, first.text(), first.sequence]).toEqual(["news.sport", "yes", 0]);
    const second = await sub.receive();
    expect(texts(second.parts)).toEqual(["news.*", "two", "parts"]);
  });

  it("end a subscription when it was taken back as often as it was made", async () => {
    const net = inproc();
    const pub = closing(new PubSocket(net, { protocol }));
    const sub = closing(new SubSocket(net, { protocol }));
    await pub.bind("here");
    await sub.connect("here");
    await sub.subscribe("a");
    await sub.subscribe("a");
    await sub.subscribe("z");
    await pub.waitForSubscriber("z");
    sub.unsubscribe("a");
    void pub.publish("a", "still");
    expect((await sub.receive()).text()).toBe("still");
    sub.unsubscribe("a");
    await waitFor(() => pub.stats().subscriptions === 1, { what: "a is not subscribed to" });
    void pub.publish("a", "no more");
    void pub.publish("z", "end");
    expect((await sub.receive()).text()).toBe("end");
  });

  it("reach many subscribers with the same bytes, in order", async () => {
    const net = inproc();
    const pub = closing(new PubSocket(net, { protocol }));
    await pub.bind("here");
    const subs = Array.from({ length: 5 }, () => closing(new SubSocket(net, { protocol })));
    for (const sub of subs) {
      await sub.connect("here");
      await sub.subscribe("");
    }
    await waitFor(() => pub.stats().subscriptions === 5, { what: "all have subscribed" });
    for (let i = 0; i < 1_000; i++) await pub.publish(`topic ${i % 7}`, `${i}`);
    for (const sub of subs) {
      for (let i = 0; i < 1_000; i++) expect((await sub.receive()).text()).toBe(`${i}`);
    }
  });
});

describe("PUSH and PULL over ZMTP", () => {
  it("hand out jobs, each once, and count one as done when the transport took it", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocol }));
    const pulls = [1, 2].map(() => closing(new PullSocket(net, { protocol })));
    await push.bind("here");
    const seen: string[] = [];
    for (const pull of pulls) {
      pull.consume((job) => void seen.push(job.text()));
      await pull.connect("here");
    }
    await push.ready({ peers: 2 });
    for (let i = 0; i < 3_000; i++) await push.send(`${i}`);
    await push.settled({ timeoutMs: 5_000 });
    await waitFor(() => seen.length === 3_000, { what: "every job was done" });
    expect(new Set(seen).size).toBe(3_000);
    expect(push.stats()).toMatchObject({ acknowledged: 3_000, unacknowledged: 0 });
    for (const pull of pulls) expect(pull.stats().acknowledged).toBeGreaterThan(0);
  });

  it("hold back a PUSH whose PULL does not take its jobs", async () => {
    const net = inproc();
    const push = closing(
      new PushSocket(net, { protocol: zmtp({ sendHighWaterMark: 10 }), sendHighWaterBytes: 1_000 }),
    );
    const pull = closing(new PullSocket(net, { protocol, window: 10 }));
    await push.bind("here");
    await pull.connect("here");
    await push.ready();
    const payload = new Uint8Array(100_000);
    const deadline = Date.now() + 5_000;
    let sent = 0;
    while (push.trySend(payload)) {
      sent++;
      if (Date.now() > deadline) throw new Error("it takes jobs without end");
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(sent).toBeGreaterThan(0);
    for (let i = 0; i < sent; i++) await pull.receive();
    await push.send("last", { timeoutMs: 5_000 });
    expect((await pull.receive()).text()).toBe("last");
  });

  it("tell a job whose handler threw, or that was given back: nobody has it any more", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocol }));
    const pull = closing(new PullSocket(net, { protocol }));
    const dropped = record(pull, "dropped");
    const errors = record(pull, "error");
    await push.bind("here");
    await pull.connect("here");
    const told = (): unknown => dropped.map(({ reason, payload }) => [reason, String(payload)]);

    const consumer = pull.consume((job) => {
      if (job.text() === "throws") throw new Error("no");
    });
    await push.send("throws");
    await push.send("is done");
    await waitFor(() => dropped.length === 1, { what: "it is told" });
    expect([told(), errors[0]?.error.code]).toEqual([
      [["lost-job", "throws"]],
      "MSG_HANDLER_FAILED",
    ]);
    await waitFor(() => pull.stats().acknowledged === 2, { what: "both came" });
    await consumer.stop();

    await push.send("left");
    for await (const job of pull) if (job.text() === "left") break;
    await push.send("refused");
    const refused = await pull.receive();
    expect([refused.nack(), refused.nack(), refused.ack()]).toEqual([false, false, false]);
    await push.send("acknowledged");
    (await pull.receive()).ack();
    expect(told()).toEqual([
      ["lost-job", "throws"],
      ["lost-job", "left"],
      ["lost-job", "refused"],
    ]);
    expect(dropped[0]?.peer).toEqual(pull.peers[0]);
    expect(pull.stats().dropped).toEqual({ "lost-job": 3 });

    await push.send("never taken");
    await waitFor(() => pull.stats().queued === 1, { what: "it came" });
    await pull.close({ lingerMs: 0 });
    expect(dropped.at(-1)).toMatchObject({ reason: "lost-job", count: 1 });
    expect(pull.stats().dropped).toEqual({ "lost-job": 4 });
  });

  it("give jobs that never left to another PULL", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocol, sendHighWaterBytes: 1 }));
    await push.bind("here");
    const first = closing(new PullSocket(net, { protocol, window: 1 }));
    await first.connect("here");
    await push.ready();
    const payload = new Uint8Array(3_000_000);
    while (push.trySend(payload)) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
    const { unacknowledged } = push.stats();
    expect(unacknowledged).toBeGreaterThan(0);
    await first.close({ lingerMs: 0 });
    const second = closing(new PullSocket(net, { protocol }));
    await second.connect("here");
    expect((await second.receive({ timeoutMs: 5_000 })).payload).toHaveLength(3_000_000);
  });

  it("carry messages of several parts", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocol }));
    const pull = closing(new PullSocket(net, { protocol }));
    await push.bind("here");
    await pull.connect("here");
    await push.send(multipart(["a", "", "c"]));
    expect(texts((await pull.receive()).parts)).toEqual(["a", "", "c"]);
  });
});

describe("a port of native and ZeroMQ peers", () => {
  it("serves both with one REP", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocols: [msg(), protocol] }));
    rep.serve((request) => `re ${request.text()}`);
    await rep.bind("here");
    for (const options of [{}, { protocol }]) {
      const req = closing(new ReqSocket(net, options));
      await req.connect("here");
      expect((await req.request("x")).text()).toBe("re x");
    }
  });

  it("serves both with one PUB: patterns to the one, prefixes to the other", async () => {
    const net = inproc();
    const pub = closing(new PubSocket(net, { protocols: [msg(), protocol] }));
    await pub.bind("here");
    const native = closing(new SubSocket(net));
    const other = closing(new SubSocket(net, { protocol }));
    await native.connect("here");
    await other.connect("here");
    await native.subscribe("a.*");
    await other.subscribe("a");
    await waitFor(() => pub.stats().subscriptions === 2, { what: "both have subscribed" });
    void pub.publish("ab", "prefix");
    void pub.publish("a.b", "both");
    expect((await native.receive()).text()).toBe("both");
    expect((await other.receive()).text()).toBe("prefix");
    expect((await other.receive()).text()).toBe("both");
  });

  it("serves both with one PUSH, and with one PULL", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocols: [msg(), protocol] }));
    await push.bind("push");
    const pull = closing(new PullSocket(net, { protocols: [msg(), protocol] }));
    await pull.bind("pull");
    for (const options of [{}, { protocol }]) {
      const worker = closing(new PullSocket(net, options));
      await worker.connect("push");
      const sender = closing(new PushSocket(net, options));
      await sender.connect("pull");
      await sender.send("to pull");
      expect((await pull.receive()).text()).toBe("to pull");
    }
    await push.ready({ peers: 2 });
    for (let i = 0; i < 10; i++) await push.send(`${i}`);
    expect(push.stats().messagesSent).toBe(10);
  });
});

describe("what ZMTP cannot do", () => {
  it("is refused when the socket is made, not left out in silence", () => {
    const net = inproc();
    const compressor = { id: 1, name: "x", compress: () => {}, decompress: () => {} } as never;
    expect(() => new RepSocket(net, { protocol, compressor })).toThrow("compression");
    expect(() => new ReqSocket(net, { protocol, authToken: "x" })).toThrow("authToken");
    expect(() => new RepSocket(net, { protocol, authenticator: () => true })).toThrow("proves");
  });
});
