import type { ConnectionHook, ListenerHandlers } from "@msg-ts/core";
import { describe, expect, it } from "vitest";
import type { RawEnd } from "./scene.ts";
import { Outcome, record, Scene } from "./scene.ts";

function codes(events: readonly { readonly error: { readonly code: string } }[]): string[] {
  return events.map(({ error }) => error.code);
}

/** Lets in who shows the token `yes`. */
const authenticator = ({ token }: { readonly token: Uint8Array }): boolean =>
  new TextDecoder().decode(token) === "yes";

const token = new TextEncoder().encode("yes");

describe("bind", () => {
  it("refuses an address that the socket is bound to, and lets the first one be", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    await rep.bind("here");
    expect(() => rep.bind("sim://here")).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_STATE" }),
    );
    expect(rep.addresses).toEqual(["here"]);
  });

  it("rejects with MSG_LISTEN_FAILED where another listens, tells it, and may be called again", async () => {
    const scene = new Scene();
    const [first, second] = [scene.rep(), scene.rep()];
    await first.bind("here");
    const errors = record(second, "error");
    await expect(second.bind("here")).rejects.toMatchObject({ code: "MSG_LISTEN_FAILED" });
    expect(codes(errors)).toEqual(["MSG_LISTEN_FAILED"]);
    expect(second.addresses).toEqual([]);
    await first.unbind("here");
    expect(await second.bind("here")).toBe("here");
  });

  it("takes an address of its own each time it is given port 0", async () => {
    const rep = new Scene().rep();
    const bound = await Promise.all([rep.bind("a:0"), rep.bind("a:0")]);
    bound.push(await rep.bind("a:0"));
    expect(new Set(bound).size).toBe(3);
    expect(rep.addresses).toEqual(bound);
    expect(rep.address).toBe(bound[0]);
  });

  it("tells of each address, and of the peers that come through it by what was given", async () => {
    const scene = new Scene();
    const rep = scene.rep();
    const told = record(rep, "listening");
    const address = await rep.bind("sim://a:0");
    await scene.rawDial(address);
    await scene.settle();
    expect(told).toEqual([{ endpoint: address }]);
    expect(rep.peers[0]).toMatchObject({ endpoint: "a:0", transport: "sim", name: "", claims: {} });
  });
});

describe("unbind", () => {
  it("is false where the socket is not bound", async () => {
    expect(await new Scene().rep().unbind("here")).toBe(false);
  });

  it("frees the address and keeps the peers that came through it", async () => {
    const scene = new Scene();
    const [rep, req] = [scene.rep(), scene.req()];
    rep.serve(() => "answer");
    await scene.join(rep, req);
    expect(await rep.unbind("sim://here")).toBe(true);
    expect(rep.addresses).toEqual([]);
    const reply = new Outcome(req.request("still there?"));
    await scene.settle();
    expect(reply.value?.text()).toBe("answer");
    expect(await scene.rep().bind("here")).toBe("here");
  });
});

describe("connect", () => {
  it("makes one connection, however often it is called for an address", async () => {
    const scene = new Scene();
    const [rep, req] = [scene.rep(), scene.req()];
    await rep.bind("here");
    await req.connect("here");
    await req.connect("sim://here");
    await scene.settle();
    expect([scene.network.dials, req.peers.length]).toEqual([1, 1]);
  });

  it("dials again after a loss, until it is told to stop", async () => {
    const scene = new Scene();
    const [rep, req] = [scene.rep(), scene.req()];
    const lost = record(req, "disconnected");
    await scene.join(rep, req);
    for (let round = 1; round <= 5; round++) {
      scene.network.cut();
      await scene.pass(5_000);
      expect([req.peers.length, lost.length]).toEqual([1, round]);
    }
    expect(req.disconnect("here", { lingerMs: 0 })).toBe(true);
    await scene.pass(60_000);
    expect([req.peers.length, req.disconnect("here")]).toEqual([0, false]);
    expect(req.stats()).toMatchObject({ connects: 6, disconnects: 6 });
  });

  it("gives each connection a peer of its own", async () => {
    const scene = new Scene();
    const [rep, req] = [scene.rep(), scene.req()];
    const seen = record(req, "connected");
    await scene.join(rep, req);
    scene.network.cut();
    await scene.pass(5_000);
    expect(new Set(seen.map(({ peer }) => peer.id)).size).toBe(2);
  });

  it("may go on elsewhere from inside the event that it is lost", async () => {
    const scene = new Scene();
    const [here, there, req] = [scene.rep(), scene.rep(), scene.req()];
    await there.bind("there");
    req.on("disconnected", () => {
      if (req.isClosed) return;
      req.disconnect("here");
      void req.connect("there");
    });
    await scene.join(here, req);
    scene.network.cut();
    await scene.pass(60_000);
    expect(req.peers.map(({ endpoint }) => endpoint)).toEqual(["there"]);
    expect(here.stats().connects).toBe(1);
  });

  it("may begin again from inside the event that it was given up", async () => {
    const scene = new Scene();
    const req = scene.req({ reconnect: { maxAttempts: 1 } });
    const rep = scene.rep();
    req.on("error", () => {
      void rep.bind("here").then(() => req.connect("here"));
    });
    await req.connect("here");
    await scene.pass(10);
    expect(req.peers).toHaveLength(1);
  });
});

describe("disconnect", () => {
  it("sends nothing more to that peer, also while its connection ends", async () => {
    const scene = new Scene();
    const req = scene.req();
    const ends = await scene.rawListen();
    await req.connect("here");
    await scene.settle();
    req.disconnect("here");
    const reply = new Outcome(req.request("late", { timeoutMs: 500 }));
    expect(req.stats()).toMatchObject({ inFlight: 0, queued: 1 });
    await scene.pass(500);
    expect(ends[0]?.frames("REP")).toEqual([]);
    expect(reply.code).toBe("MSG_TIMEOUT");
  });
});

describe("a connection hook", () => {
  const verdicts: [what: string, verdict: unknown, refusal: string | undefined][] = [
    ["nothing", undefined, undefined],
    ["claims", { identity: "alice", role: "admin" }, undefined],
    ["false, which its type forbids", false, "MSG_AUTH_REJECTED"],
    ["a throw", new Error("no"), "MSG_AUTH_FAILED"],
  ];
  for (const [what, verdict, refusal] of verdicts) {
    it(`that answers with ${what} ${refusal === undefined ? "lets in" : `refuses: ${refusal}`}`, async () => {
      const scene = new Scene();
      const hook = (async () => {
        if (verdict instanceof Error) throw verdict;
        return verdict;
      }) as unknown as ConnectionHook;
      const rep = scene.rep({ hook });
      const refused = record(rep, "refused");
      await rep.bind("here");
      await scene.rawDial();
      await scene.pass(1_000);
      expect([rep.peers.length, codes(refused)]).toEqual(
        refusal === undefined ? [1, []] : [0, [refusal]],
      );
    });
  }
});

describe("maxClients", () => {
  it("refuses one more, says so, and lets one in when one has gone", async () => {
    const scene = new Scene();
    const rep = scene.rep({ maxClients: 2 });
    const refused = record(rep, "refused");
    await rep.bind("here");
    const first = await scene.rawDial();
    await scene.rawDial();
    await scene.settle();
    const third = await scene.rawDial();
    await scene.settle();
    expect([third.isClosed, rep.peers.length, codes(refused)]).toEqual([
      true,
      2,
      ["MSG_TOO_MANY_PEERS"],
    ]);
    first.link.destroy();
    await scene.settle();
    const fourth = await scene.rawDial();
    await scene.settle();
    expect([fourth.isClosed, rep.peers.length, rep.stats().refused]).toEqual([false, 2, 1]);
  });

  it("counts neither those in their handshake, nor those refused, nor those we dialed", async () => {
    const scene = new Scene();
    const rep = scene.rep({ maxClients: 1, authenticator });
    const refused = record(rep, "refused");
    await scene.rawListen("there");
    await rep.bind("here");
    await rep.connect("there");
    for (let i = 0; i < 5; i++) await scene.rawDial();
    const wrong = await scene.rawDial();
    wrong.send({ type: "auth", token: new Uint8Array(3) });
    await scene.pass(1_000);
    const right = await scene.rawDial();
    right.send({ type: "auth", token });
    await scene.settle();
    expect(codes(refused)).toEqual(["MSG_AUTH_REJECTED"]);
    expect(rep.peers.filter(({ endpoint }) => endpoint === "here")).toHaveLength(1);
  });
});

describe("maxHandshakes", () => {
  it("refuses one more handshake at once, and takes one when one has ended", async () => {
    const scene = new Scene();
    const rep = scene.rep({ maxHandshakes: 2, authenticator, handshakeTimeoutMs: 1_000 });
    const refused = record(rep, "refused");
    await rep.bind("here");
    await scene.rawDial();
    await scene.rawDial();
    const third = await scene.rawDial();
    await scene.settle();
    expect([third.isClosed, codes(refused)]).toEqual([true, ["MSG_TOO_MANY_PEERS"]]);
    await scene.pass(1_000);
    expect(codes(refused)).toEqual([
      "MSG_TOO_MANY_PEERS",
      "MSG_HANDSHAKE_TIMEOUT",
      "MSG_HANDSHAKE_TIMEOUT",
    ]);
    for (let round = 0; round < 5; round++) {
      const client = await scene.rawDial();
      client.send({ type: "auth", token });
      await scene.settle();
      expect(client.isClosed).toBe(false);
    }
    expect(rep.peers).toHaveLength(5);
  });

  it("counts right when peers leave at every stage", async () => {
    const scene = new Scene();
    const rep = scene.rep({ maxHandshakes: 3, maxClients: 3, authenticator });
    await rep.bind("here");
    for (let round = 0; round < 20; round++) {
      const silent = await scene.rawDial();
      const wrong = await scene.rawDial();
      const right = await scene.rawDial();
      wrong.send({ type: "auth", token: new Uint8Array(0) });
      right.send({ type: "auth", token });
      await scene.settle();
      for (const end of [silent, wrong, right]) end.link.destroy();
      await scene.settle();
    }
    expect(rep.stats()).toMatchObject({ connects: 20, disconnects: 20, refused: 40, peers: 0 });
    const clients = await Promise.all([scene.rawDial(), scene.rawDial(), scene.rawDial()]);
    for (const client of clients) client.send({ type: "auth", token });
    await scene.settle();
    expect(rep.peers).toHaveLength(3);
  });
});

describe("a server that accepts and closes at once", () => {
  it("is dialed more and more slowly, not in a spin", async () => {
    const scene = new Scene();
    const req = scene.req();
    const retries = record(req, "retrying");
    await scene.network.listen("here", {
      onLink: (link) => link.destroy(),
      onError: () => {},
      onRefused: () => {},
    });
    await req.connect("here");
    await scene.pass(60_000);
    expect(retries.slice(0, 6).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(scene.network.dials).toBeLessThan(40);
  });

  it("is dialed more and more slowly also when it takes the token first", async () => {
    const scene = new Scene();
    const req = scene.req({ authToken: "yes" });
    const retries = record(req, "retrying");
    const ends = await scene.rawListen();
    await req.connect("here");
    for (let round = 0; round < 6_000; round++) {
      await scene.pass(10);
      const end = ends.at(-1);
      if (end === undefined || end.isClosed) continue;
      if (end.received.length > 0) end.send({ type: "auth answer", isAccepted: true });
      await scene.settle();
      end.link.destroy();
    }
    expect(retries.slice(0, 6).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(retries.length).toBeLessThan(40);
  });

  it("is given no request twice: what waits goes to a server that stays", async () => {
    const scene = new Scene();
    const req = scene.req();
    let isFull = true;
    let taken = 0;
    const rep = scene.rep();
    rep.serve(() => {
      taken++;
      return "answer";
    });
    await rep.bind("there");
    await scene.network.listen("here", {
      onLink: (link) => {
        if (isFull) link.destroy();
        else void scene.network.dial("there", new AbortController().signal);
      },
      onError: () => {},
      onRefused: () => {},
    });
    await req.connect("here");
    await scene.settle();
    const reply = new Outcome(req.request("hello", { timeoutMs: 60_000 }));
    await scene.pass(10_000);
    expect([reply.isSettled, taken]).toEqual([false, 0]);
    isFull = false;
    req.disconnect("here");
    await req.connect("there");
    await scene.pass(1_000);
    expect([reply.value?.text(), taken]).toEqual(["answer", 1]);
  });
});

const destroying: ListenerHandlers = {
  onLink: (link) => link.destroy(),
  onError: () => {},
  onRefused: () => {},
};

interface Connectable {
  connect(address: string): Promise<void>;
}

/** Has the dialer lose a connection that brought nothing, so that the next one is on probation. */
async function onProbation(
  scene: Scene,
  socket: Connectable,
  listen: () => Promise<unknown>,
): Promise<void> {
  const listener = await scene.network.listen("here", destroying);
  await socket.connect("here");
  await scene.settle();
  await listener.close();
  await listen();
}

describe("a connection on probation", () => {
  it("is fed when it survived 100 ms", async () => {
    const scene = new Scene();
    const [req, rep] = [scene.req(), scene.rep()];
    rep.serve(() => "answer");
    await onProbation(scene, req, () => rep.bind("here"));
    const reply = new Outcome(req.request("hello"));
    await scene.pass(50);
    expect([rep.peers.length, req.peers.length]).toEqual([1, 0]);
    await scene.pass(100);
    expect(reply.value?.text()).toBe("answer");
  });

  it("answers what it is asked at once", async () => {
    const scene = new Scene();
    const [req, rep] = [scene.req(), scene.rep()];
    rep.serve(() => "answer");
    await onProbation(scene, rep, () => req.bind("here"));
    const reply = new Outcome(req.request("hello"));
    await scene.pass(60);
    expect([reply.value?.text(), reply.error]).toEqual(["answer", undefined]);
    expect(rep.stats().dropped).toEqual({});
  });

  it("leaves nothing behind of what was asked when it ends before", async () => {
    const scene = new Scene();
    const rep = scene.rep({ answerTimeoutMs: Infinity });
    let ends: RawEnd[] = [];
    await onProbation(scene, rep, async () => {
      ends = await scene.rawListen();
    });
    await scene.pass(50);
    const end = ends.at(-1);
    end?.send({ type: "hello", socketType: 1, name: "" });
    end?.request(1, "never answered");
    await scene.settle();
    expect(rep.stats().pending).toBe(1);
    end?.link.destroy();
    await scene.settle();
    expect(rep.stats()).toMatchObject({ pending: 0, queued: 0 });
  });

  it("leaves no subscription behind when it ends before", async () => {
    const scene = new Scene();
    const pub = scene.pub();
    let ends: RawEnd[] = [];
    await onProbation(scene, pub, async () => {
      ends = await scene.rawListen();
    });
    await scene.pass(50);
    const end = ends.at(-1);
    end?.send({ type: "hello", socketType: 4, name: "" });
    end?.subscribe("a");
    await scene.settle();
    expect(pub.stats().subscriptions).toBe(1);
    end?.link.destroy();
    await scene.settle();
    expect(pub.stats()).toMatchObject({ subscriptions: 0, peers: 0 });
    void pub.publish("a", "");
    expect(pub.stats()).toMatchObject({ deliveries: 0, dropped: { "no-subscriber": 1 } });
  });
});
