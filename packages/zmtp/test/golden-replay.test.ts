import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import { bytes, hex } from "@msg-ts/testing";
import {
  DealerSocket,
  PairSocket,
  plain,
  plainServer,
  RouterSocket,
  XPubSocket,
  XSubSocket,
  zmtp,
} from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import type { Step } from "./golden-log.ts";
import { allOf, exchangesOf, meaning, play } from "./golden-log.ts";
import { greeting, RawPeer, readyOf } from "./raw-peer.ts";
import { closing, inproc, texts } from "./rig.ts";

const protocol = zmtp();
const net = (): ReturnType<typeof inproc> => inproc();

type Net = ReturnType<typeof inproc>;

interface AnySocket {
  bind(address: string): Promise<string>;
  connect(address: string): Promise<void>;
  ready(): Promise<void>;
  close(options?: { readonly lingerMs?: number }): Promise<unknown>;
}

/** What our side does in an exchange; `ready` is given to who waits for the peer first. */
interface Replay<S extends AnySocket> {
  readonly make: (transport: Net) => S;
  readonly act?: (socket: S) => unknown;
}

function stepsOf(file: string, title: string): readonly Step[] {
  const steps = exchangesOf(file).get(title);
  if (steps === undefined || steps.length === 0) throw new Error(`${file} has no "${title}"`);
  return steps;
}

/** Ours dials, in the place of libzmq; gives all that it said. */
async function dial<S extends AnySocket>(
  steps: readonly Step[],
  { make, act }: Replay<S>,
): Promise<string> {
  const transport = net();
  const accept = await RawPeer.accept(transport, "here");
  const socket = closing(make(transport));
  await socket.connect("here");
  const done = Promise.resolve(act?.(socket)).catch(() => {});
  const heard = await play(steps, "S", await accept());
  await Promise.race([done, new Promise<void>((resolve) => void setTimeout(resolve, 100))]);
  return heard;
}

/** Ours listens, in the place of libzmq; gives all that it said. */
async function listen<S extends AnySocket>(
  steps: readonly Step[],
  { make, act }: Replay<S>,
): Promise<string> {
  const transport = net();
  const socket = closing(make(transport));
  await socket.bind("here");
  void Promise.resolve(act?.(socket)).catch(() => {});
  return play(steps, "C", await RawPeer.dial(transport, "here"));
}

function authenticate({ password }: { readonly password: string }): boolean {
  return password === "secret";
}

/** The same said by an XPUB: one of ours can send the messages of one part that the capture has. */
function asXpub({ by, bytes: said }: Step): Step {
  const ofPub = ["04190552454144590b536f636b65742d54797065", "00000003505542"];
  const ofXpub = ["041a0552454144590b536f636b65742d54797065", "0000000458505542"];
  return { by, bytes: bytes(hex(said).replace(ofPub.join(""), ofXpub.join(""))) };
}

describe("libzmq 4.3.5 that dials: what it said, ours says", () => {
  const file = "libzmq-dials.log";

  it('REQ connect, send "hello"', async () => {
    const steps = stepsOf(file, 'REQ connect, send "hello"');
    const heard = await dial(steps, {
      make: (transport) => new ReqSocket(transport, { protocol: zmtp({ correlate: false }) }),
      act: (req) => req.request("hello", { timeoutMs: 1_000 }),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  it('DEALER routingId=abc, send ["a","",300B]', async () => {
    const steps = stepsOf(file, 'DEALER routingId=abc, send ["a","",300B]');
    const heard = await dial(steps, {
      make: (transport) => new DealerSocket(transport, { identity: "abc" }),
      act: (dealer) => dealer.send(["a", "", "A".repeat(300)]),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  it('PUSH send "x"', async () => {
    const steps = stepsOf(file, 'PUSH send "x"');
    const heard = await dial(steps, {
      make: (transport) => new PushSocket(transport, { protocol }),
      act: (push) => push.send("x"),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  it('SUB 3.1: subscribe A, A, ""; unsubscribe A x1, x2, but for the second SUBSCRIBE', async () => {
    const all = stepsOf(file, 'SUB 3.1: subscribe A, A, ""; unsubscribe A x1, x2');
    // libzmq tells each subscription; ours counts, and tells the first.
    const twice = all.findIndex(
      (step, i) => i > 0 && hex(step.bytes) === hex(all[i - 1]?.bytes ?? new Uint8Array(0)),
    );
    const steps = all.filter((_step, i) => i !== twice);
    const heard = await dial(steps, {
      make: (transport) => new SubSocket(transport, { protocol }),
      act: async (sub) => {
        await sub.ready();
        void sub.subscribe("A");
        void sub.subscribe("A");
        void sub.subscribe("");
        sub.unsubscribe("A");
        sub.unsubscribe("A");
      },
    });
    expect(twice).toBeGreaterThan(0);
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  it("SUB to 3.0 peer: subscribe A; unsubscribe A", async () => {
    const steps = stepsOf(file, "SUB to 3.0 peer: subscribe A; unsubscribe A");
    const heard = await dial(steps, {
      make: (transport) => new SubSocket(transport, { protocol }),
      act: async (sub) => {
        await sub.ready();
        void sub.subscribe("A");
        sub.unsubscribe("A");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  it("PAIR with heartbeat 100 ms ttl 1000", async () => {
    const title = "PAIR with heartbeat 100 ms ttl 1000, server answers nothing (timeout 300)";
    // The capture goes on with a second connection.
    const steps = stepsOf(file, title).slice(0, 5);
    const heartbeat = { intervalMs: 100, timeoutMs: 300, ttlMs: 1_000 };
    const heard = await dial(steps, {
      make: (transport) => new PairSocket(transport, { heartbeat }),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
    expect(heard.endsWith("04070450494e47000a")).toBe(true);
  });

  it.each(["incompatible socket type: REQ to SUB", 'server sends ERROR "no good"'])(
    "%s",
    async (title) => {
      const steps = stepsOf(file, title);
      const heard = await dial(steps, {
        make: (transport) => new ReqSocket(transport, { protocol }),
      });
      expect(heard).toBe(meaning(allOf(steps, "C")));
    },
  );
});

describe("libzmq 4.3.4 that dials: what it said, ours says", () => {
  const file = "libzmq-4.3.4-dials.log";
  const sockets: Record<string, readonly [peer: string, make: (transport: Net) => AnySocket]> = {
    PUB: ["SUB", (transport) => new PubSocket(transport, { protocol })],
    SUB: [
      "PUB",
      (transport) => {
        const sub = new SubSocket(transport, { protocol });
        void sub.subscribe("news.");
        return sub;
      },
    ],
    XPUB: ["SUB", (transport) => new XPubSocket(transport)],
    REQ: ["REP", (transport) => new ReqSocket(transport, { protocol })],
    REP: ["REQ", (transport) => new RepSocket(transport, { protocol })],
    DEALER: ["ROUTER", (transport) => new DealerSocket(transport)],
    ROUTER: ["DEALER", (transport) => new RouterSocket(transport)],
    PUSH: ["PULL", (transport) => new PushSocket(transport, { protocol })],
    PULL: ["PUSH", (transport) => new PullSocket(transport, { protocol })],
    PAIR: ["PAIR", (transport) => new PairSocket(transport)],
  };

  it.each(Object.keys(sockets))("%s", async (type) => {
    const expected = allOf(stepsOf(file, type), "C");
    const [peer = "", make] = sockets[type] ?? [];
    const transport = net();
    const accept = await RawPeer.accept(transport, "here");
    const socket = closing((make as (transport: Net) => AnySocket)(transport));
    await socket.connect("here");
    const raw = await accept();
    raw.hex(greeting() + readyOf(peer));
    const { length } = expected;
    await raw.take(0);
    expect(meaning(Buffer.from(await raw.take(length), "hex"))).toBe(meaning(expected));
  });

  it("REQ correlate + X- metadata, but for the number itself", async () => {
    const steps = stepsOf(file, "REQ correlate + X- metadata");
    const heard = await dial(steps, {
      make: (transport) =>
        new ReqSocket(transport, { protocol: zmtp({ metadata: { "X-hello": "world" } }) }),
      act: (req) => req.request("q", { timeoutMs: 1_000 }),
    });
    const expected = meaning(allOf(steps, "C"));
    const number = expected.length - 2 * 9;
    expect(heard.slice(0, number)).toBe(expected.slice(0, number));
    expect(heard.slice(number + 8)).toBe(expected.slice(number + 8));
  });

  it("XSUB, but that ours tells a subscription in the style of the peer's version", async () => {
    const steps = stepsOf(file, "XSUB");
    const transport = net();
    const accept = await RawPeer.accept(transport, "here");
    const xsub = closing(new XSubSocket(transport));
    await xsub.connect("here");
    const raw = await accept();
    raw.hex(greeting({ minor: 0 }) + readyOf("XPUB"));
    await xsub.ready();
    await xsub.send("\u0001xs");
    const expected = allOf(steps, "C");
    const heard = Buffer.from(await raw.take(expected.length - 1), "hex");
    // The capture has the length of "xs" with its kind.
    expect(meaning(heard)).toBe(meaning(expected.subarray(0, heard.length)));
  });
});

describe("libzmq 4.3.5 that listens: what it answered, ours answers", () => {
  const file = "libzmq-listens.log";

  it("ROUTER: ping with context, message, reply", async () => {
    const steps = stepsOf(
      file,
      'ROUTER bind; raw DEALER with id "me"; ping with ctx; message; reply',
    );
    let got: string[] = [];
    const heard = await listen(steps, {
      make: (transport) => new RouterSocket(transport),
      act: async (router) => {
        got = texts((await router.receive()).parts);
        await router.send([got[0] ?? "", "pong", ""]);
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
    expect(got).toEqual(["me", "part1", "part2"]);
  });

  it.each(["ROUTER bind; raw DEALER without Identity", "ROUTER bind; lower-case property names"])(
    "%s",
    async (title) => {
      const steps = stepsOf(file, title);
      const heard = await listen(steps, { make: (transport) => new RouterSocket(transport) });
      expect(heard).toBe(meaning(allOf(steps, "S")));
    },
  );

  it.each([
    ["REP bind; raw REQ: correct envelope, then message without delimiter", ["q", "q2"]],
    ["REP bind; raw DEALER two-hop envelope [A][B][][body]", ["q"]],
  ])("%s", async (title, expected) => {
    const steps = stepsOf(file, title);
    const got: string[] = [];
    const heard = await listen(steps, {
      make: (transport) => new RepSocket(transport, { protocol }),
      act: (rep) =>
        rep.serve((request) => {
          got.push(request.text());
          return request.text().replace("q", "a");
        }),
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
    expect(got).toEqual(expected);
  });

  it.each([
    'PUB bind; raw SUB 3.1 SUBSCRIBE cmd "A" x2, one CANCEL, publish',
    "PUB bind; raw SUB announcing 3.0 using SUBSCRIBE command",
    "PUB bind; peer greeting major 4 minor 0",
  ])("%s", async (title) => {
    const steps = stepsOf(file, title).map(asXpub);
    const heard = await listen(steps, {
      make: (transport) => new XPubSocket(transport),
      act: async (pub) => {
        await pub.receive();
        await pub.send("A1");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
  });

  it("PUB bind; raw SUB announcing 3.1 but using old style 01 prefix", async () => {
    const title = "PUB bind; raw SUB announcing 3.1 but using old style 01 prefix";
    const steps = stepsOf(file, title);
    const heard = await listen(steps, {
      make: (transport) => new PubSocket(transport, { protocol }),
      act: async (pub) => {
        await pub.waitForSubscriber("A1");
        await pub.publish("A1", "body");
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
  });

  it.each([
    ["PULL bind; reserved flag bits set 0x08; then unknown command FOO; then msg", ["r", "m"]],
    ["PULL bind; short message sent with LONG frame (non-canonical)", ["A"]],
    ["PING with 20 byte context", []],
    ["PING TTL=1 s then silence", []],
    ["PING TTL=70 s (700 ds) overflow?", []],
  ])("%s", async (title, expected) => {
    const steps = stepsOf(file, title);
    const got: string[] = [];
    const heard = await listen(steps, {
      make: (transport) => new PullSocket(transport, { protocol }),
      act: async (pull) => {
        for await (const job of pull) got.push(job.text());
      },
    });
    expect(heard).toBe(meaning(allOf(steps, "S")));
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    expect(got).toEqual(expected);
  });
});

describe("PLAIN between two libzmq: what either said, ours says", () => {
  const file = "libzmq-plain-curve.log";
  it.each([
    ["PLAIN ok: REQ->REP", "secret"],
    ["PLAIN bad password (ZAP 400)", "wrong"],
  ])("%s, as the client", async (title, password) => {
    const steps = stepsOf(file, title);
    const security = plain({ username: "admin", password });
    const heard = await dial(steps, {
      make: (transport) =>
        new ReqSocket(transport, { protocol: zmtp({ security, correlate: false }) }),
      act: (req) => req.request("hi", { timeoutMs: 1_000 }),
    });
    expect(heard).toBe(meaning(allOf(steps, "C")));
  });

  it.each(["PLAIN ok: REQ->REP", "PLAIN bad password (ZAP 400)"])(
    "%s, as the server",
    async (title) => {
      const steps = stepsOf(file, title);
      const security = plainServer({ authenticate });
      const heard = await listen(steps, {
        make: (transport) => new RepSocket(transport, { protocol: zmtp({ security }) }),
        act: (rep) => rep.serve(() => "yo"),
      });
      expect(heard).toBe(meaning(allOf(steps, "S")));
    },
  );
});
