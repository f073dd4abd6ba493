import { describe, expect, it } from "vitest";
import type { Handshake, HandshakeContext, Protocol } from "../../src/contracts/protocol.ts";
import { msg } from "../../src/wire/msg/protocol.ts";
import { Outcome, record, Scene } from "./scene.ts";

/** As `msg`, behind a greeting of 0xff: its acceptor speaks first where it can. */
function greeted(seen: HandshakeContext[] = []): Protocol {
  const handshake = (context: HandshakeContext): Handshake => {
    return async (link) => {
      seen.push(context);
      link.write(new Uint8Array([0xff]));
      await link.read(1);
      if (context.authenticator !== undefined) {
        const request = { token: new Uint8Array(0), peer: link.peer, signal: link.signal };
        if ((await context.authenticator(request)) !== true) throw new Error("refused");
      }
      return { claims: {}, name: "greeted", protocol: msg() };
    };
  };
  return { ...msg(), name: "greeted", recognises: (byte) => byte === 0xff, handshake };
}

/** A greeting is a byte, so that this one never ends by itself. */
const stuck: Handshake = async (link) => {
  await link.read(2);
  return { claims: {}, name: "" };
};

const both = (): Protocol[] => [msg(), greeted()];

describe("a port of several protocols", () => {
  it("serves each peer in the protocol that its first byte tells", async () => {
    const scene = new Scene();
    const rep = scene.rep({ protocols: both() });
    rep.serve((request) => `to ${request.text()}`);
    const native = scene.req();
    const other = scene.req({ protocol: greeted() });
    await scene.join(rep, native, other);
    const asked = [native.request("native"), other.request("other")].map(
      (reply) => new Outcome(reply),
    );
    await scene.settle();
    expect(asked.map(({ value }) => value?.text())).toEqual(["to native", "to other"]);
  });

  it("says nothing before it knows", async () => {
    const scene = new Scene();
    const rep = scene.rep({ protocols: both() });
    await rep.bind("here");
    const client = await scene.rawDial();
    await scene.settle();
    expect(client.received).toHaveLength(0);
    client.hex("ff");
    await scene.settle();
    expect([...client.received]).toEqual([0xff]);
  });

  it("refuses a first byte that nobody knows, naming it and what is spoken", async () => {
    const scene = new Scene();
    const rep = scene.rep({ protocols: both() });
    const refused = record(rep, "refused");
    await rep.bind("here");
    const client = await scene.rawDial();
    client.hex("47");
    await scene.pass(1_000);
    expect(client.isOver).toBe(true);
    expect(refused[0]?.error.message).toBe("peer's first byte is 0x47, spoken here: msg, greeted");
  });

  it("keeps a peer that is silent by right, however long, and serves it then", async () => {
    const scene = new Scene();
    const rep = scene.rep({ protocols: both(), handshakeTimeoutMs: 100 });
    rep.serve((request) => request.payload);
    await rep.bind("here");
    const client = await scene.rawDial();
    await scene.pass(1_000_000);
    client.request(7, "late");
    await scene.settle();
    expect(client.frames("REQ")).toMatchObject([{ type: "reply", id: 7 }]);
  });

  it("begins the deadline of a handshake with the first byte", async () => {
    const scene = new Scene();
    const slow = scene.rep({
      protocols: [msg(), { ...greeted(), handshake: () => stuck }],
      handshakeTimeoutMs: 100,
    });
    const late = record(slow, "refused");
    await slow.bind("there");
    const client = await scene.rawDial("there");
    await scene.pass(10_000);
    client.hex("ff");
    await scene.pass(99);
    expect([client.isOver, late]).toEqual([false, []]);
    await scene.pass(1);
    expect(late.map(({ error }) => error.code)).toEqual(["MSG_HANDSHAKE_TIMEOUT"]);
  });

  it("gives the silent the places of clients, not those of handshakes", async () => {
    const scene = new Scene();
    const rep = scene.rep({ protocols: both(), maxClients: 3, maxHandshakes: 1 });
    const refused = record(rep, "refused");
    await rep.bind("here");
    const silent = [await scene.rawDial(), await scene.rawDial(), await scene.rawDial()];
    const fourth = await scene.rawDial();
    await scene.settle();
    expect(silent.map(({ isOver }) => isOver)).toEqual([false, false, false]);
    expect(fourth.isClosed).toBe(true);
    expect(refused.map(({ error }) => error.message)).toEqual([
      "3 clients are connected, maxClients is 3",
    ]);
    for (const { link } of silent) link.destroy();
    await scene.settle();
    const next = await scene.rawDial();
    next.request(1, "x");
    await scene.settle();
    expect([next.isOver, rep.peers.length]).toEqual([false, 1]);
  });

  it("asks the authenticator about peers of every protocol", async () => {
    for (const isAllowed of [true, false]) {
      const scene = new Scene();
      const rep = scene.rep({ protocols: both(), authenticator: () => isAllowed });
      await rep.bind("here");
      const other = await scene.rawDial();
      other.hex("ff");
      const native = await scene.rawDial();
      native.send({ type: "auth", token: new Uint8Array(3) });
      await scene.settle();
      expect(rep.peers).toHaveLength(isAllowed ? 2 : 0);
    }
  });

  it("gives a peer no time to be silent where each has to prove who it is", async () => {
    const scene = new Scene();
    const rep = scene.rep({
      protocols: both(),
      authenticator: () => true,
      handshakeTimeoutMs: 100,
    });
    const refused = record(rep, "refused");
    await rep.bind("here");
    await scene.rawDial();
    await scene.pass(100);
    expect(refused.map(({ error }) => error.code)).toEqual(["MSG_HANDSHAKE_TIMEOUT"]);
  });

  it("has its hook decide before the first byte is looked at", async () => {
    const scene = new Scene();
    const seen: HandshakeContext[] = [];
    const rep = scene.rep({
      protocols: [msg(), greeted(seen)],
      hook: async (link) => ({ identity: new TextDecoder().decode(await link.read(2)) }),
    });
    await rep.bind("here");
    const client = await scene.rawDial();
    client.hex("6d65 ff");
    await scene.settle();
    expect(rep.peers).toMatchObject([{ identity: "me" }]);
    expect(seen[0]?.hook).toBeUndefined();
  });

  it("dials in its protocol, or the first of them", async () => {
    const scene = new Scene();
    const ends = await scene.rawListen();
    await scene.req({ protocols: [greeted(), msg()] }).connect("here");
    await scene.req({ protocol: greeted(), protocols: [msg()] }).connect("here");
    await scene.settle();
    expect(ends.map(({ received }) => [...received])).toEqual([[0xff], [0xff]]);
  });
});

describe("protocols", () => {
  it("may not be empty, nor anything else than protocols", () => {
    const scene = new Scene();
    expect(() => scene.rep({ protocols: [] })).toThrow("protocols is empty");
    expect(() => scene.rep({ protocols: msg() as never })).toThrow("protocols is");
    expect(() => scene.rep({ protocols: [{} as never] })).toThrow("protocol is Object");
  });

  it("are asked whether they can do what the socket was told", () => {
    const scene = new Scene();
    const refusing: Protocol = {
      ...msg(),
      checkOptions: (type, { authenticator }) => {
        throw new Error(`${type} with ${typeof authenticator}`);
      },
    };
    const make = (): unknown =>
      scene.rep({ protocols: [msg(), refusing], authenticator: () => true });
    expect(make).toThrow("REP with function");
  });

  it("of a SUB have one kind of topics", () => {
    const scene = new Scene();
    const prefixes: Protocol = { ...greeted(), topics: "prefixes" };
    expect(() => scene.sub({ protocols: [msg(), prefixes] })).toThrow("different kinds of topics");
  });
});
