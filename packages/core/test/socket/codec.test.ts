import { bytes } from "@msg-ts/testing";
import type { SocketEvents } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { describe, expect, it } from "vitest";
import { decodeText, encodeText } from "../../src/bytes.ts";
import type { Codec } from "../../src/contracts/codec.ts";
import type { Compressor } from "../../src/contracts/compressor.ts";
import { raw } from "../../src/raw-codec.ts";
import { PubSocket } from "../../src/socket/pub-sub/pub.ts";
import type { PubOptions } from "../../src/socket/pub-sub/pub-options.ts";
import { SubSocket } from "../../src/socket/pub-sub/sub.ts";
import type { PullOptions } from "../../src/socket/push-pull/pull-options.ts";
import { PullSocket } from "../../src/socket/push-pull/pull.ts";
import { PushSocket } from "../../src/socket/push-pull/push.ts";
import { RepSocket } from "../../src/socket/req-rep/rep.ts";
import type { RepOptions } from "../../src/socket/req-rep/rep-options.ts";
import { ReqSocket } from "../../src/socket/req-rep/req.ts";
import type { ReqOptions } from "../../src/socket/req-rep/req-options.ts";
import { Scene } from "./scene.ts";

/** Whole numbers as decimal text; counts what it decodes. */
class NumberCodec implements Codec<number> {
  readonly name = "number";
  decoded = 0;

  readonly encode = (value: number): Uint8Array => {
    if (!Number.isInteger(value)) throw new RangeError(`${String(value)} is not whole`);
    return encodeText(String(value));
  };

  decode(payload: Uint8Array): number {
    this.decoded++;
    const text = decodeText(payload);
    if (!/^-?\d+$/.test(text)) throw new SyntaxError("not a number");
    return Number(text);
  }
}

/** A scene whose sockets speak in numbers. */
class NumberScene extends Scene {
  readonly codec = new NumberCodec();

  asking(options: ReqOptions = {}): ReqSocket<number, number> {
    const { codec, runtime } = this;
    return this.own(new ReqSocket<number, number>(this.network, { runtime, codec, ...options }));
  }

  answering(options: RepOptions = {}): RepSocket<number, number> {
    const { codec, runtime } = this;
    return this.own(new RepSocket<number, number>(this.network, { runtime, codec, ...options }));
  }

  publishing(options: PubOptions = {}): PubSocket<number> {
    const { codec, runtime } = this;
    return this.own(new PubSocket<number>(this.network, { runtime, codec, ...options }));
  }

  subscribing(): SubSocket<number> {
    const { codec, runtime } = this;
    return this.own(new SubSocket<number>(this.network, { runtime, codec }));
  }

  pulling(options: PullOptions = {}): PullSocket<number> {
    const { codec, runtime } = this;
    return this.own(new PullSocket<number>(this.network, { runtime, codec, ...options }));
  }

  push(): PushSocket {
    return this.own(new PushSocket(this.network, { runtime: this.runtime }));
  }

  /** A SUB of numbers, and a PUB that can send it anything. */
  async fed(): Promise<{ pub: PubSocket; sub: SubSocket<number>; drops: Drop[] }> {
    const [pub, sub] = [this.pub(), this.subscribing()];
    const drops = dropsOf(sub);
    await this.join(pub, sub);
    void sub.subscribe("n");
    await this.settle();
    return { pub, sub, drops };
  }

  async publish(pub: PubSocket, ...payloads: string[]): Promise<void> {
    for (const payload of payloads) void pub.publish("n", payload);
    await this.settle();
  }
}

type Drop = SocketEvents["dropped"];

function dropsOf(socket: {
  on(name: "dropped", listener: (drop: Drop) => void): () => void;
}): Drop[] {
  const drops: Drop[] = [];
  socket.on("dropped", (drop) => drops.push(drop));
  return drops;
}

function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => error,
  );
}

function refuse(): never {
  throw new MsgError("MSG_INVALID_VALUE", "price is missing");
}

const withCode = (code: string): unknown => expect.objectContaining({ code });

describe("a socket with a codec", () => {
  it("takes values and gives values, with their bytes beside them", async () => {
    const scene = new NumberScene();
    const [pub, sub] = [scene.publishing(), scene.subscribing()];
    await scene.join(pub, sub);
    void sub.subscribe("n");
    await scene.settle();
    void pub.publish("n", 17);
    await scene.settle();
    const message = await sub.receive();
    expect([message.value, message.text(), message.topic]).toEqual([17, "17", "n"]);
  });

  it("asks and answers in values, in a handler and by hand", async () => {
    const scene = new NumberScene();
    const [rep, req] = [scene.answering(), scene.asking()];
    await scene.join(rep, req);
    const first = req.request(20);
    await scene.settle();
    const request = await rep.receive();
    request.respond(request.value + 1);
    rep.serve(({ value }) => value * 2);
    await scene.settle();
    const second = req.request(20);
    await scene.settle();
    expect([(await first).value, (await second).value]).toEqual([21, 40]);
  });

  it("gives jobs as values", async () => {
    const scene = new NumberScene();
    const pull = scene.pulling();
    const push = scene.own(
      new PushSocket<number>(scene.network, { runtime: scene.runtime, codec: scene.codec }),
    );
    const taken: number[] = [];
    pull.consume((job) => void taken.push(job.value));
    await scene.join(push, pull);
    void push.send(1);
    expect(push.trySend(2)).toBe(true);
    await scene.settle();
    expect(taken).toEqual([1, 2]);
    expect(pull.stats().acknowledged).toBe(2);
  });

  it("gives values that are nothing as what they are", async () => {
    const scene = new Scene();
    const { network, runtime } = scene;
    const values = [undefined, null, 0, "", false];
    const codec: Codec<unknown> = {
      name: "index",
      encode: (value) => Uint8Array.of(values.indexOf(value as undefined)),
      decode: ([index = 0]) => values[index],
    };
    const rep = scene.own(new RepSocket<unknown, unknown>(network, { runtime, codec }));
    const req = scene.own(new ReqSocket<unknown, unknown>(network, { runtime, codec }));
    rep.serve(({ value }) => value);
    await scene.join(rep, req);
    for (const value of values) {
      const reply = req.request(value);
      await scene.settle();
      expect((await reply).value).toBe(value);
    }
  });

  it("compresses what was encoded, and decodes what was decompressed", async () => {
    const scene = new NumberScene();
    const compressor: Compressor = {
      id: 5,
      name: "first byte",
      compress: (payload) => payload.slice(0, 1),
      decompress: (payload) => new Uint8Array(2_000).fill(payload[0] ?? 0),
    };
    const { network, runtime } = scene;
    const codec: Codec<number> = {
      name: "fill",
      encode: (value) => new Uint8Array(2_000).fill(value),
      decode: (payload) => payload.length + (payload[0] ?? 0),
    };
    const pub = scene.own(new PubSocket<number>(network, { runtime, codec, compressor }));
    const sub = scene.own(
      new SubSocket<number>(network, { runtime, codec, decompressors: [compressor] }),
    );
    await scene.join(pub, sub);
    void sub.subscribe("n");
    await scene.settle();
    void pub.publish("n", 7);
    await scene.settle();
    expect((await sub.receive()).value).toBe(2_007);
    expect(pub.stats()).toMatchObject({ payloadBytesSent: 2_000, compressedBytesSent: 1 });
  });

  it("decodes when a message is taken: what is queued costs its bytes only", async () => {
    const scene = new NumberScene();
    const { pub, sub } = await scene.fed();
    await scene.publish(pub, "1", "2", "3");
    expect([sub.stats().queued, scene.codec.decoded]).toEqual([3, 0]);
    await sub.receive();
    expect([sub.stats().queued, scene.codec.decoded]).toEqual([2, 1]);
  });

  it("does not decode what nobody will take", async () => {
    const scene = new NumberScene();
    const [rep, pull, push] = [scene.answering(), scene.pulling(), scene.push()];
    const req = scene.req();
    await rep.bind("rep");
    await req.connect("rep");
    await scene.join(push, pull);
    const asked = outcomeOf(req.request("1"));
    void push.send("1");
    await scene.settle();
    expect([rep.stats().queued, pull.stats().queued]).toEqual([1, 1]);
    void rep.close();
    void pull.close();
    await scene.pass(2_000);
    expect(scene.codec.decoded).toBe(0);
    await req.close();
    await asked;
  });
});

describe("without a codec", () => {
  it("a value is the payload itself", async () => {
    const scene = new Scene();
    for (const codec of [undefined, raw()]) {
      const { runtime } = scene;
      const pub = scene.pub();
      const sub = scene.own(new SubSocket(scene.network, { runtime, codec }));
      const address = codec === undefined ? "a" : "b";
      await pub.bind(address);
      await sub.connect(address);
      void sub.subscribe("n");
      await scene.settle();
      void pub.publish("n", "text");
      await scene.settle();
      const message = await sub.receive();
      expect(message.value).toBe(message.payload);
    }
  });
});

describe("a payload that cannot be decoded", () => {
  it("costs a SUB that message alone, by every way to receive", async () => {
    const scene = new NumberScene();
    const { pub, sub, drops } = await scene.fed();
    const received = sub.receive();
    await scene.publish(pub, "one", "1");
    expect((await received).value).toBe(1);

    const iterator = sub[Symbol.asyncIterator]();
    const next = iterator.next();
    await scene.publish(pub, "two", "2");
    expect((await next).value).toMatchObject({ value: 2 });
    await iterator.return?.();

    const batches = sub.batches();
    await scene.publish(pub, "3", "three", "4");
    const { value: batch } = await batches.next();
    expect((batch as { value: number }[]).map(({ value }) => value)).toEqual([3, 4]);
    await batches.return?.();

    const consumed: number[] = [];
    sub.consume(({ value }) => void consumed.push(value));
    await scene.publish(pub, "five", "5");
    expect(consumed).toEqual([5]);
    expect(drops).toHaveLength(4);
    expect(sub.stats().dropped).toEqual({ unreadable: 4 });
  });

  it("is told with its error, its cause, its bytes and its peer", async () => {
    const scene = new NumberScene();
    const { pub, sub, drops } = await scene.fed();
    sub.consume(() => {});
    await scene.publish(pub, "one");
    expect(drops).toMatchObject([
      {
        reason: "unreadable",
        count: 1,
        peer: sub.peers[0],
        error: {
          code: "MSG_DECODE_FAILED",
          message: "codec number could not decode a payload of 3 bytes",
          cause: expect.any(SyntaxError),
        },
        payload: Buffer.from("one"),
      },
    ]);
  });

  it("never makes an empty batch", async () => {
    const scene = new NumberScene();
    const { pub, sub } = await scene.fed();
    const batch = sub.batches().next();
    await scene.publish(pub, "one", "two");
    await scene.publish(pub, "3");
    expect((await batch).value).toMatchObject([{ value: 3 }]);
  });

  it("keeps the codec's own coded error", async () => {
    const scene = new Scene();
    const { network, runtime } = scene;
    const codec = { name: "strict", decode: refuse };
    const sub = scene.own(new SubSocket(network, { runtime, codec }));
    const drops = dropsOf(sub);
    const pub = scene.pub();
    sub.consume(() => {});
    await scene.join(pub, sub);
    void sub.subscribe("n");
    await scene.settle();
    void pub.publish("n", "x");
    await scene.settle();
    expect(drops).toMatchObject([{ error: { code: "MSG_INVALID_VALUE" } }]);
  });

  it("is answered with an error when it is a request, and frees its place", async () => {
    const scene = new NumberScene();
    const [rep, req] = [scene.answering(), scene.req()];
    const drops = dropsOf(rep);
    rep.serve(({ value }) => value + 1);
    await scene.join(rep, req);
    const [bad, good] = [outcomeOf(req.request("one")), req.request("1")];
    await scene.settle();
    expect(await bad).toMatchObject({ code: "MSG_REMOTE", remoteCode: "MSG_DECODE_FAILED" });
    expect((await good).text()).toBe("2");
    expect(rep.stats()).toMatchObject({ pending: 0, dropped: { unreadable: 1 } });
    expect(drops).toMatchObject([{ error: { code: "MSG_DECODE_FAILED" } }]);
  });

  it("rejects that one request when it is a reply", async () => {
    const scene = new NumberScene();
    const [rep, req] = [scene.rep(), scene.asking()];
    rep.serve((request) => (request.text() === "1" ? "one" : request.payload));
    await scene.join(rep, req);
    const [bad, good] = [outcomeOf(req.request(1)), req.request(2)];
    await scene.settle();
    expect(await bad).toEqual(withCode("MSG_DECODE_FAILED"));
    expect((await good).value).toBe(2);
    expect(req.stats()).toMatchObject({ pending: 0, inFlight: 0 });
  });

  it("goes back when it is a job: a PULL that can read it gets it", async () => {
    const scene = new NumberScene();
    const [push, numbers] = [scene.push(), scene.pulling()];
    numbers.consume(() => {});
    await scene.join(push, numbers);
    void push.send("one");
    await scene.settle();
    expect(numbers.stats()).toMatchObject({ refusedJobs: 1, dropped: { unreadable: 1 } });
    const any = scene.own(new PullSocket(scene.network, { runtime: scene.runtime }));
    const texts: string[] = [];
    any.consume((job) => void texts.push(`${job.text()}, delivery ${job.deliveryCount}`));
    await any.connect("here");
    await scene.settle();
    expect(texts).toEqual(["one, delivery 2"]);
    expect(push.stats().unacknowledged).toBe(0);
  });

  it("is lost, and counted, when it is a job at most once", async () => {
    const scene = new NumberScene();
    const [push, pull] = [scene.push(), scene.pulling({ delivery: "at-most-once" })];
    pull.consume(() => {});
    await scene.join(push, pull);
    void push.send("one");
    await scene.settle();
    expect(pull.stats()).toMatchObject({ acknowledged: 1, dropped: { unreadable: 1 } });
  });
});

describe("a value that cannot be encoded", () => {
  it("is refused by the call that sends it; nothing is sent", async () => {
    const scene = new NumberScene();
    const { network, runtime, codec } = scene;
    const push = scene.own(new PushSocket<number>(network, { runtime, codec }));
    const [req, pub] = [scene.asking(), scene.publishing()];
    const failed = expect.objectContaining({
      code: "MSG_ENCODE_FAILED",
      message: "codec number could not encode a value",
      cause: expect.any(RangeError),
    });
    expect(() => void req.request(0.5)).toThrow(failed);
    expect(() => void pub.publish("n", 0.5)).toThrow(failed);
    expect(() => void push.send(0.5)).toThrow(failed);
    expect(() => push.trySend(0.5)).toThrow(failed);
    expect([req, pub, push].map((socket) => socket.stats().messagesSent)).toEqual([0, 0, 0]);
    expect(req.stats().pending).toBe(0);
  });

  it("leaves a request to be answered again", async () => {
    const scene = new NumberScene();
    const [rep, req] = [scene.answering(), scene.asking()];
    await scene.join(rep, req);
    const reply = req.request(1);
    await scene.settle();
    const request = await rep.receive();
    expect(() => request.respond(0.5)).toThrow(withCode("MSG_ENCODE_FAILED"));
    request.respond(2);
    await scene.settle();
    expect((await reply).value).toBe(2);
  });

  it("is an error of the handler that returned it", async () => {
    const scene = new NumberScene();
    const [rep, req] = [scene.answering(), scene.asking()];
    const errors: MsgError[] = [];
    rep.on("error", ({ error }) => errors.push(error));
    rep.serve(() => 0.5);
    await scene.join(rep, req);
    const reply = outcomeOf(req.request(1));
    await scene.settle();
    expect(await reply).toMatchObject({ code: "MSG_REMOTE", remoteCode: "INTERNAL" });
    expect(errors).toMatchObject([
      { code: "MSG_HANDLER_FAILED", cause: { code: "MSG_ENCODE_FAILED" } },
    ]);
  });

  it("is one too when the codec gives no bytes", () => {
    const scene = new Scene();
    const { network, runtime } = scene;
    const codec = { name: "wrong", encode: () => "text" as never };
    const pub = scene.own(new PubSocket(network, { runtime, codec }));
    expect(() => void pub.publish("n", "x")).toThrow(
      expect.objectContaining({
        code: "MSG_ENCODE_FAILED",
        message: "codec wrong gave string, must be a Uint8Array",
      }),
    );
  });

  it("is one of length when its bytes are over maxMessageBytes", () => {
    const scene = new NumberScene();
    const pub = scene.publishing({ maxMessageBytes: 3 });
    expect(() => void pub.publish("n", 1000)).toThrow(withCode("MSG_PAYLOAD_TOO_LARGE"));
  });
});

describe("the option codec", () => {
  const wrong: readonly unknown[] = [
    null,
    5,
    "cbor",
    {},
    { encode: 1, decode: 2 },
    () => bytes(""),
  ];
  const sockets: Record<string, (scene: Scene, codec: never) => unknown> = {
    REQ: ({ network }, codec) => new ReqSocket(network, { codec }),
    REP: ({ network }, codec) => new RepSocket(network, { codec }),
    PUB: ({ network }, codec) => new PubSocket(network, { codec }),
    SUB: ({ network }, codec) => new SubSocket(network, { codec }),
    PUSH: ({ network }, codec) => new PushSocket(network, { codec }),
    PULL: ({ network }, codec) => new PullSocket(network, { codec }),
  };
  for (const [type, create] of Object.entries(sockets)) {
    it(`of a ${type} is refused when it has not what that needs`, () => {
      for (const codec of wrong.slice(1)) {
        expect(() => create(new Scene(), codec as never)).toThrow(
          expect.objectContaining({
            code: "MSG_INVALID_OPTION",
            message: expect.stringMatching(/^codec is .*, must be an object with (en|de)code/),
          }),
        );
      }
    });
  }

  it("needs one direction only where the socket has only one", () => {
    const scene = new Scene();
    const { network, runtime } = scene;
    const out = { name: "out", encode: encodeText };
    expect(() => [
      scene.own(new PubSocket(network, { runtime, codec: out })),
      scene.own(new SubSocket(network, { runtime, codec: { name: "in", decode: decodeText } })),
    ]).not.toThrow();
    expect(() => new ReqSocket(network, { runtime, codec: out as never })).toThrow(
      withCode("MSG_INVALID_OPTION"),
    );
  });
});
