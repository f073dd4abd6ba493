import { MsgError } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { PubSocket } from "../../src/socket/pub-sub/pub.ts";
import { RepSocket } from "../../src/socket/req-rep/rep.ts";
import { ReqSocket } from "../../src/socket/req-rep/req.ts";
import { SubSocket } from "../../src/socket/pub-sub/sub.ts";
import { Outcome, record, Scene } from "./scene.ts";

function withCode(code: string): Error {
  return expect.objectContaining({ code }) as Error;
}

/** The code of what a call throws. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return MsgError.is(error) ? error.code : String(error);
  }
}

describe("a new socket", () => {
  for (const Kind of [ReqSocket, RepSocket, PubSocket, SubSocket]) {
    for (const transport of [undefined, null, "tcp", {}, { dial: () => {} }]) {
      it(`of class ${Kind.name} refuses ${JSON.stringify(transport)} as its transport`, () => {
        const Class: new (transport: never) => unknown = Kind;
        expect(() => new Class(transport as never)).toThrow(withCode("MSG_INVALID_ARGUMENT"));
      });
    }
  }

  it("knows what it is, is not closed, and has no address and no peers", () => {
    const scene = new Scene();
    const sockets = [scene.req(), scene.rep(), scene.pub(), scene.sub()];
    expect(sockets.map(({ type }) => type)).toEqual(["REQ", "REP", "PUB", "SUB"]);
    for (const socket of sockets) {
      expect([socket.isClosed, socket.addresses, socket.peers]).toEqual([false, [], []]);
      expect(() => socket.address).toThrow(withCode("MSG_INVALID_STATE"));
    }
  });
});

describe("misuse", () => {
  for (const address of ["", "with space", undefined, 5, null]) {
    it(`throws MSG_INVALID_ADDRESS at once for ${JSON.stringify(address)}`, () => {
      const socket = new Scene().req();
      for (const method of ["bind", "connect", "unbind", "disconnect"] as const) {
        expect(() => socket[method](address as string)).toThrow(withCode("MSG_INVALID_ADDRESS"));
      }
    });
  }

  it("throws at once for a hook that speaks first where the dialer must", () => {
    const scene = new Scene();
    scene.network.dialerSpeaksFirst = true;
    const hook = Object.assign(async () => {}, { acceptorSpeaksFirst: true });
    const socket = scene.req({ hook });
    expect(() => socket.bind("here")).toThrow(withCode("MSG_INVALID_STATE"));
    expect(() => socket.connect("here")).toThrow(withCode("MSG_INVALID_STATE"));
  });

  for (const lingerMs of [-1, Number.NaN, 2 ** 31]) {
    it(`refuses lingerMs ${lingerMs}, and does not close`, () => {
      const socket = new Scene().req();
      expect(() => socket.close({ lingerMs })).toThrow(withCode("MSG_INVALID_OPTION"));
      expect(() => socket.disconnect("here", { lingerMs })).toThrow(withCode("MSG_INVALID_OPTION"));
      expect(socket.isClosed).toBe(false);
    });
  }

  for (const timeoutMs of [-1, Number.NaN, 2 ** 31]) {
    it(`refuses timeoutMs ${timeoutMs} of ready and once`, () => {
      const socket = new Scene().req();
      expect(() => socket.ready({ timeoutMs })).toThrow(withCode("MSG_INVALID_OPTION"));
      expect(() => socket.once("closed", { timeoutMs })).toThrow(withCode("MSG_INVALID_OPTION"));
    });
  }
});

describe("ready", () => {
  it("resolves when a peer is let in, and at once while there is one", async () => {
    const scene = new Scene();
    const [req, rep] = [scene.req(), scene.rep()];
    const outcome = new Outcome(req.ready());
    await scene.settle();
    expect(outcome.isSettled).toBe(false);
    await scene.join(rep, req);
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
    await req.ready({ timeoutMs: 0 });
  });

  it("waits for as many peers as are asked for", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    const outcome = new Outcome(rep.ready({ peers: 2 }));
    await scene.join(rep, scene.req());
    expect(outcome.isSettled).toBe(false);
    await scene.req().connect("here");
    await scene.settle();
    expect([outcome.isSettled, outcome.error]).toEqual([true, undefined]);
  });

  for (const peers of [0, 1.5, Number.NaN]) {
    it(`refuses to wait for ${peers} peers`, () => {
      expect(() => new Scene().req().ready({ peers })).toThrow(
        expect.objectContaining({ code: "MSG_INVALID_OPTION" }),
      );
    });
  }

  it("rejects after 10 s by default, the last failure to connect as its cause", async () => {
    const scene = new Scene();
    const req = scene.req();
    await req.connect("nowhere");
    const outcome = new Outcome(req.ready({ timeoutMs: undefined }));
    await scene.pass(9_999);
    expect(outcome.isSettled).toBe(false);
    await scene.pass(1);
    expect(outcome.error).toMatchObject({
      code: "MSG_TIMEOUT",
      cause: { code: "MSG_DIAL_FAILED" },
    });
  });

  it("rejects with the signal's reason, before and while it waits", async () => {
    const scene = new Scene();
    const req = scene.req();
    const reason = new Error("no more");
    await expect(req.ready({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const abort = new AbortController();
    const waiting = new Outcome(req.ready({ signal: abort.signal }));
    abort.abort(reason);
    await scene.settle();
    expect(waiting.error).toBe(reason);
  });

  it("rejects with MSG_DIAL_FAILED when every endpoint was given up, not before", async () => {
    const scene = new Scene();
    const req = scene.req({ reconnect: { maxAttempts: 2, minDelayMs: 10, maxDelayMs: 10 } });
    const errors = record(req, "error");
    await req.connect("nowhere");
    await req.connect("elsewhere");
    const outcome = new Outcome(req.ready());
    await scene.settle();
    expect(outcome.isSettled).toBe(false);
    await scene.pass(10);
    expect(outcome.code).toBe("MSG_DIAL_FAILED");
    expect(errors.map(({ error }) => error.code)).toEqual(["MSG_DIAL_FAILED", "MSG_DIAL_FAILED"]);
    await expect(req.ready()).rejects.toMatchObject({ code: "MSG_DIAL_FAILED" });
  });

  it("does not give up while it is bound, or another endpoint is dialed", async () => {
    const scene = new Scene();
    const req = scene.req({ reconnect: { maxAttempts: 1 } });
    req.on("error", () => {});
    await req.bind("here");
    await req.connect("nowhere");
    const outcome = new Outcome(req.ready());
    await scene.pass(1_000);
    expect(outcome.isSettled).toBe(false);
  });

  it("rejects with MSG_CLOSED when the socket is closed", async () => {
    const scene = new Scene();
    const req = scene.req();
    const outcome = new Outcome(req.ready());
    await req.close();
    expect(outcome.code).toBe("MSG_CLOSED");
  });
});

describe("once", () => {
  it("resolves with the next event of the name, and leaves nothing behind", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    const outcome = new Outcome(rep.once("listening", { timeoutMs: 100 }));
    await rep.bind("here");
    await scene.settle();
    expect(outcome.value).toEqual({ endpoint: "here" });
    expect(scene.runtime.timersInMs).toEqual([]);
  });

  it("rejects at its deadline, by its signal, and when the socket is closed", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    const abort = new AbortController();
    const outcomes = [
      new Outcome(rep.once("connected", { timeoutMs: 100 })),
      new Outcome(rep.once("connected", { signal: abort.signal })),
      new Outcome(rep.once("connected")),
    ];
    await scene.pass(100);
    abort.abort(new MsgError("MSG_NO_PEER", "mine"));
    await rep.close();
    await scene.settle();
    expect(outcomes.map(({ code }) => code)).toEqual(["MSG_TIMEOUT", "MSG_NO_PEER", "MSG_CLOSED"]);
  });

  it("resolves for the event closed", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    const outcome = new Outcome(rep.once("closed"));
    await rep.close();
    await scene.settle();
    expect(outcome.value).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("rejects with MSG_CLOSED when the socket was closed before: nothing follows", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.close();
    const outcome = new Outcome(rep.once("connected"));
    await scene.settle();
    expect(outcome.code).toBe("MSG_CLOSED");
  });
});

describe("close", () => {
  it("gives the same promise however often it is called, and tells once", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    const told = record(rep, "closed");
    const [first, second] = [rep.close(), rep.close({ lingerMs: 0 })];
    expect(second).toBe(first);
    expect(await first).toEqual({ unsent: 0, unacknowledged: 0 });
    await rep[Symbol.asyncDispose]();
    expect([rep.isClosed, told.length]).toEqual([true, 1]);
  });

  it("may be called inside every listener", async () => {
    const scene = new Scene();
    for (const name of ["listening", "connected", "disconnected", "retrying", "closed"] as const) {
      const [req, rep] = [scene.req(), scene.rep()];
      const told = record(req, "closed");
      req.on(name, () => void req.close({ lingerMs: 0 }));
      await rep.bind(name);
      void req.bind(`${name}:req`);
      void req.connect(name);
      void req.connect("nowhere");
      await scene.settle();
      void rep.close({ lingerMs: 0 });
      await scene.pass(2_000);
      await req.close();
      expect([name, told.length]).toEqual([name, 1]);
    }
  });

  it("may be called by what it aborts itself", async () => {
    const scene = new Scene();
    const rep = scene.rep({
      authenticator: ({ signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => void rep.close());
        }),
    });
    const told = record(rep, "closed");
    await rep.bind("here");
    const raw = await scene.rawDial();
    raw.send({ type: "auth", token: new Uint8Array(0) });
    await scene.settle();
    const closing = rep.close();
    await scene.pass(1_000);
    await closing;
    expect(told).toHaveLength(1);
  });

  it("ends connections that were told to take longer, by its own linger", async () => {
    const scene = new Scene();
    const req = scene.req();
    await scene.rawListen();
    await req.connect("here");
    await scene.settle();
    req.disconnect("here", { lingerMs: Infinity });
    const outcome = new Outcome(req.close({ lingerMs: 50 }));
    await scene.pass(50);
    expect(outcome.isSettled).toBe(true);
  });

  it("does not wait longer than it says for a peer that never ends", async () => {
    const scene = new Scene();
    const pub = scene.pub();
    await pub.bind("here");
    await scene.rawDial();
    await scene.settle();
    const outcome = new Outcome(pub.close({ lingerMs: 300 }));
    await scene.pass(299);
    expect(outcome.isSettled).toBe(false);
    await scene.pass(1);
    expect(outcome.isSettled).toBe(true);
  });

  it("resolves, and ends its connections, also when a listener cannot be closed", async () => {
    const scene = new Scene();
    const [rep, req] = [scene.rep(), scene.req()];
    const errors = record(rep, "error");
    await scene.join(rep, req);
    scene.network.closeError = new Error("cannot unlink");
    const outcome = new Outcome(rep.close({ lingerMs: 0 }));
    await scene.settle();
    expect(outcome.value).toEqual({ unsent: 0, unacknowledged: 0 });
    expect(errors.map(({ error }) => error.cause)).toEqual([scene.network.closeError]);
    expect(req.peers).toEqual([]);
  });

  it("frees an address that is being bound by the time it resolves", async () => {
    const scene = new Scene();
    let listen: (() => void) | undefined;
    scene.network.listenDelay = new Promise((resolve) => {
      listen = resolve;
    });
    const rep = scene.rep();
    const binding = new Outcome(rep.bind("here"));
    const closing = rep.close({ lingerMs: 0 });
    await scene.settle();
    listen?.();
    await closing;
    await scene.settle();
    expect(binding.code).toBe("MSG_CLOSED");
    scene.network.listenDelay = undefined;
    expect(await scene.rep().bind("here")).toBe("here");
  });

  it("tells of nothing once it told that it is closed", async () => {
    const scene = new Scene();
    const [rep, req] = [scene.rep(), scene.req()];
    await scene.join(rep, req);
    const told: string[] = [];
    for (const name of ["connected", "disconnected", "dropped", "refused", "closed"] as const) {
      rep.on(name, () => void told.push(name));
    }
    const reply = new Outcome(req.request("held"));
    await scene.settle();
    const asked = await rep.receive();
    void rep.close({ lingerMs: 0 });
    await scene.settle();
    asked.respond("too late");
    expect(told.at(-1)).toBe("closed");
    await scene.pass(5_000);
    expect(reply.isSettled).toBe(true);
  });

  const calls: Record<string, (scene: Scene) => Promise<[name: string, call: () => unknown][]>> = {
    REQ: async (scene) => {
      const req = scene.req();
      await req.close();
      return [
        ["bind", () => req.bind("here")],
        ["connect", () => req.connect("here")],
        ["ready", () => req.ready()],
        ["request", () => req.request("hello")],
      ];
    },
    REP: async (scene) => {
      const rep = scene.rep();
      await rep.close();
      return [
        ["bind", () => rep.bind("here")],
        ["connect", () => rep.connect("here")],
        ["ready", () => rep.ready()],
        ["receive", () => rep.receive()],
        ["serve", () => rep.serve(() => "")],
      ];
    },
    PUB: async (scene) => {
      const pub = scene.pub();
      await pub.close();
      return [
        ["bind", () => pub.bind("here")],
        ["connect", () => pub.connect("here")],
        ["ready", () => pub.ready()],
        ["publish", () => pub.publish("a", "")],
        ["waitForSubscriber", () => pub.waitForSubscriber("a")],
      ];
    },
    SUB: async (scene) => {
      const sub = scene.sub();
      await sub.close();
      return [
        ["bind", () => sub.bind("here")],
        ["connect", () => sub.connect("here")],
        ["ready", () => sub.ready()],
        ["receive", () => sub.receive()],
        ["consume", () => sub.consume(() => {})],
        ["subscribe", () => sub.subscribe("a")],
        ["unsubscribe", () => sub.unsubscribe("a")],
      ];
    },
  };
  for (const [type, callsOf] of Object.entries(calls)) {
    it(`makes every call on a ${type} that would do something throw MSG_CLOSED at once`, async () => {
      const outcomes = (await callsOf(new Scene())).map(([name, call]) => [name, codeOf(call)]);
      expect(outcomes).toEqual(outcomes.map(([name]) => [name, "MSG_CLOSED"]));
    });
  }

  it("leaves the calls that only look or take away harmless", async () => {
    const scene = new Scene();
    const sockets = [scene.req(), scene.rep(), scene.pub(), scene.sub()];
    for (const socket of sockets) {
      await socket.close();
      expect([socket.peers, socket.addresses, socket.isClosed]).toEqual([[], [], true]);
      expect(socket.stats().peers).toBe(0);
      expect(await socket.unbind("here")).toBe(false);
      expect(socket.disconnect("here")).toBe(false);
      socket.off("closed", () => {});
    }
  });

  it("ends iterations that wait, and those that begin later", async () => {
    const scene = new Scene();
    const sub = scene.sub();
    const [items, batches] = [sub[Symbol.asyncIterator](), sub.batches()];
    const waiting = [new Outcome(items.next()), new Outcome(batches.next())];
    await sub.close();
    await scene.settle();
    const done = { value: undefined, done: true };
    expect(waiting.map(({ value }) => value)).toEqual([done, done]);
    expect(await sub[Symbol.asyncIterator]().next()).toEqual(done);
    expect(await sub.batches().next()).toEqual(done);
  });
});

describe("a promise that nobody awaits", () => {
  it("does not end the process when it is rejected", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    const scene = new Scene();
    const [req, rep, pub, sub] = [scene.req(), scene.rep(), scene.pub(), scene.sub()];
    await rep.bind("here");
    req.on("error", () => {});
    void req.bind("here");
    void req.ready();
    void req.request("a", { timeoutMs: 1 });
    void req.once("connected", { timeoutMs: 1 });
    void rep.receive({ timeoutMs: 1 });
    void pub.waitForSubscriber("a", { timeoutMs: 1 });
    void sub.subscribe("a", { timeoutMs: 1 });
    void sub.receive({ signal: AbortSignal.abort() });
    await scene.pass(10);
    for (const socket of [req, rep, pub, sub]) void socket.close();
    await scene.pass(2_000);
    await waitFor(() => sub.isClosed, { what: "the SUB is closed" });
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled).toEqual([]);
  });
});

describe("disconnectPeer", () => {
  it("ends the connection of that peer in order, and of no other", async () => {
    const scene = new Scene();
    const pub = scene.pub();
    await pub.bind("here");
    const [bad, good] = [await scene.rawDial(), await scene.rawDial()];
    bad.subscribe("a");
    good.subscribe("a");
    await scene.settle();
    const [peer] = pub.peers;
    if (peer === undefined) throw new Error("nobody is connected");
    expect(pub.disconnectPeer(peer)).toBe(true);
    await scene.settle();
    bad.link.end();
    await scene.settle();
    expect([bad.hasEnded, good.isOver, pub.peers.length]).toEqual([true, false, 1]);
    expect(pub.disconnectPeer(peer)).toBe(false);
    void pub.publish("a", "");
    await scene.settle();
    expect([bad.frames("SUB").length, good.frames("SUB").length]).toEqual([0, 1]);
  });

  it("waits for its end no longer than lingerMs, which must be a time", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    await scene.rawDial();
    await scene.settle();
    const [peer] = rep.peers;
    if (peer === undefined) throw new Error("nobody is connected");
    expect(() => rep.disconnectPeer(peer, { lingerMs: -1 })).toThrow(
      withCode("MSG_INVALID_OPTION"),
    );
    expect(rep.disconnectPeer(peer, { lingerMs: 100 })).toBe(true);
    await scene.pass(100);
    expect(rep.peers).toEqual([]);
  });
});
