import type { PullOptions } from "@msg-ts/core";
import { PubSocket, PullSocket, RepSocket, ReqSocket, SubSocket } from "@msg-ts/core";
import { bytes, hex, waitFor } from "@msg-ts/testing";
import { DealerSocket, PairSocket, plain, plainServer, RouterSocket, zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { nodeCrypto } from "@msg-ts/zmtp/curve";
import { CurveCipher } from "../src/mechanisms/curve-parts.ts";
import { asHex, command, greeting, property, RawPeer, readyOf } from "./raw-peer.ts";
import { closing, inproc, record, texts } from "./rig.ts";

const protocol = zmtp();

/** A PULL of ours with a raw PUSH that is let in. */
async function pullAndRaw(options: PullOptions = {}): Promise<{ pull: PullSocket; raw: RawPeer }> {
  const net = inproc();
  const pull = closing(new PullSocket(net, { protocol, ...options }));
  await pull.bind("here");
  const raw = await RawPeer.dial(net, "here");
  await raw.shakeHands("PUSH");
  return { pull, raw };
}

describe("trap 1: who waits for the other's signature", () => {
  it("is not us: all 64 bytes go out before the peer said anything", async () => {
    const net = inproc();
    const accept = await RawPeer.accept(net, "here");
    await closing(new ReqSocket(net, { protocol })).connect("here");
    expect(await (await accept()).take(64)).toBe(greeting());
  });

  it("may be the peer: one that sends its greeting bit by bit is let in", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    await rep.bind("here");
    const raw = await RawPeer.dial(net, "here");
    const all = greeting() + readyOf("REQ");
    for (let i = 0; i < all.length; i += 2) raw.hex(all.slice(i, i + 2));
    await rep.ready();
    expect(rep.peers).toHaveLength(1);
  });
});

describe("trap 2: a message before the peer is ready", () => {
  it("is never sent by us", async () => {
    const net = inproc();
    const accept = await RawPeer.accept(net, "here");
    const req = closing(new ReqSocket(net, { protocol }));
    await req.connect("here");
    void req.request("hello").catch(() => {});
    const raw = await accept();
    await raw.take(64);
    raw.hex(greeting());
    expect((await raw.takeText()).slice(1, 6)).toBe("READY");
    expect(raw.received).toHaveLength(0);
    raw.hex(readyOf("REP"));
    expect(await raw.take(15)).toBe("01040000000101000005" + asHex("hello"));
  });

  it("is taken from a peer that sends greeting, READY and message at once", async () => {
    const net = inproc();
    const pull = closing(new PullSocket(net, { protocol }));
    await pull.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(`${greeting() + readyOf("PUSH")}000178`);
    expect((await pull.receive()).text()).toBe("x");
  });
});

describe("trap 3: the as-server byte", () => {
  it("is not looked at", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    await rep.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(greeting({ isServer: true }) + readyOf("REQ"));
    await rep.ready();
    expect(rep.peers).toHaveLength(1);
  });
});

/** Both ends of a cipher, each behind the handshake. */
function ciphers(): { client: CurveCipher; server: CurveCipher } {
  const counts = { sentCount: 2, receivedCount: 2 };
  const rest = { crypto: nodeCrypto, key: nodeCrypto.randomBytes(32), ...counts };
  return {
    client: new CurveCipher({ ...rest, isServer: false }),
    server: new CurveCipher({ ...rest, isServer: true }),
  };
}

describe("trap 4 and 5: sealed frames", () => {
  it("have libzmq's own flags inside: 1 for more, 2 for a command", () => {
    const { client, server } = ciphers();
    for (const [isMore, isCommand] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      const opened = server.open(client.seal(isMore, isCommand, bytes("6162")));
      expect({ ...opened, body: hex(opened.body) }).toEqual({ isMore, isCommand, body: "6162" });
    }
  });
});

describe("trap 6: libzmq's ERROR of PLAIN is misspelt", () => {
  const server = plainServer({ authenticate: ({ password }) => password === "right" });

  it("and so is ours, because its clients take nothing else for one", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol: zmtp({ security: server }) }));
    const refused = record(rep, "refused");
    await rep.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(greeting({ mechanism: "PLAIN" }) + command("HELLO", "01610162"));
    await raw.take(64);
    expect(await raw.take(11)).toBe("04095e52524f5203343030");
    await waitFor(() => refused.length > 0, { what: "it was refused" });
    expect(refused[0]?.error.code).toBe("MSG_AUTH_REJECTED");
  });

  for (const [spelling, frame] of [
    ["as libzmq 4.3 spells it", "04095e52524f5203343030"],
    ["as the RFC does", command("ERROR", "03343030")],
  ] as const) {
    it(`is understood ${spelling}`, async () => {
      const net = inproc();
      const accept = await RawPeer.accept(net, "here");
      const security = plain({ username: "a", password: "b" });
      const req = closing(new ReqSocket(net, { protocol: zmtp({ security }) }));
      const retrying = record(req, "retrying");
      await req.connect("here");
      const raw = await accept();
      raw.hex(greeting({ mechanism: "PLAIN" }));
      await raw.take(64);
      expect((await raw.takeText()).slice(1, 6)).toBe("HELLO");
      raw.hex(frame);
      raw.link.end();
      await waitFor(() => retrying.length > 0, { what: "it is told" });
      expect(retrying[0]?.error).toMatchObject({
        code: "MSG_AUTH_REJECTED",
        message: "peer refused the handshake: 400 (not authenticated)",
      });
    });
  }
});

describe("trap 7: names of properties", () => {
  it("are read in any case, and written as libzmq wants them", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    await router.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(greeting());
    raw.hex(
      command("READY", property("socket-TYPE", asHex("DEALER")) + property("IDENTITY", "6d65")),
    );
    await raw.take(64);
    const text = await raw.takeText();
    expect([text.includes("Socket-Type"), text.includes("Identity")]).toEqual([true, true]);
    raw.hex("000178");
    expect(texts((await router.receive()).parts)).toEqual(["me", "x"]);
  });
});

describe("trap 8: subscriptions that come twice", () => {
  it("are a set at the publisher: one CANCEL ends them", async () => {
    const net = inproc();
    const pub = closing(new PubSocket(net, { protocol }));
    await pub.bind("here");
    const raw = await RawPeer.dial(net, "here");
    await raw.shakeHands("SUB");
    raw.hex(command("SUBSCRIBE", "41") + command("SUBSCRIBE", "41"));
    await pub.waitForSubscriber("A1");
    void pub.publish("A1", "x");
    expect([await raw.takeText(), await raw.takeText()]).toEqual(["A1", "x"]);
    raw.hex(command("CANCEL", "41"));
    await waitFor(() => pub.stats().subscriptions === 0, { what: "the subscription ended" });
  });

  it("are counted at the subscriber, which cancels with the last one", async () => {
    const net = inproc();
    const accept = await RawPeer.accept(net, "here");
    const sub = closing(new SubSocket(net, { protocol }));
    await sub.connect("here");
    const raw = await accept();
    await raw.shakeHands("PUB");
    await sub.ready();
    await sub.subscribe("A");
    await sub.subscribe("A");
    sub.unsubscribe("A");
    sub.unsubscribe("A");
    expect([await raw.takeText(), await raw.takeText()]).toEqual([
      "\u0009SUBSCRIBEA",
      "\u0006CANCELA",
    ]);
    expect(raw.received).toHaveLength(0);
  });
});

describe("trap 9: both styles of subscriptions", () => {
  for (const minor of [0, 1]) {
    it(`are taken from a peer of 3.${minor}`, async () => {
      const net = inproc();
      const pub = closing(new PubSocket(net, { protocol }));
      await pub.bind("here");
      const raw = await RawPeer.dial(net, "here");
      await raw.shakeHands("SUB", { minor });
      raw.hex(`00020141${command("SUBSCRIBE", "42")}`);
      await waitFor(() => pub.stats().subscriptions === 2, { what: "both count" });
      raw.hex(`00020042${command("CANCEL", "41")}`);
      await waitFor(() => pub.stats().subscriptions === 0, { what: "both ended" });
      expect(pub.stats().dropped).toEqual({});
    });

    it(`are told to a peer of 3.${minor} in its own`, async () => {
      const net = inproc();
      const accept = await RawPeer.accept(net, "here");
      const sub = closing(new SubSocket(net, { protocol }));
      await sub.connect("here");
      const raw = await accept();
      await raw.shakeHands("PUB", { minor });
      await sub.ready();
      await sub.subscribe("A");
      expect(await raw.take(minor === 0 ? 4 : 13)).toBe(
        minor === 0 ? "00020141" : "040b0953554253435249424541",
      );
    });
  }
});

describe("trap 10: the TTL of a PING", () => {
  it("is never over 65.5 s", async () => {
    const net = inproc();
    const heartbeat = { intervalMs: 20, timeoutMs: 600_000 };
    const pull = closing(new PullSocket(net, { protocol: zmtp({ heartbeat }) }));
    await pull.bind("here");
    const raw = await RawPeer.dial(net, "here");
    await raw.shakeHands("PUSH");
    expect(await raw.take(9)).toBe("04070450494e47028f");
    expect(() => zmtp({ heartbeat: { ttlMs: 65_501 } })).toThrow("heartbeat.ttlMs is 65501");
  });

  it("has us end a connection whose peer falls silent for so long", async () => {
    const { pull, raw } = await pullAndRaw();
    const disconnected = record(pull, "disconnected");
    raw.hex("04070450494e470003");
    expect(await raw.take(7)).toBe("040504504f4e47");
    await waitFor(() => disconnected.length > 0, { what: "it was ended" });
    expect(disconnected[0]?.reason?.message).toContain("nothing for 300 ms");
  });
});

describe("trap 11: the context of a PING", () => {
  it("comes back, 16 bytes of it at most", async () => {
    const { raw } = await pullAndRaw();
    raw.hex(command("PING", "000063747821"));
    expect(await raw.take(11)).toBe("040904504f4e4763747821");
    raw.hex(command("PING", "0000" + "30".repeat(20)));
    expect(await raw.take(23)).toBe("041504504f4e47" + "30".repeat(16));
  });
});

describe("trap 12: the limit of a message", () => {
  it("does not hold for the handshake", async () => {
    const { pull, raw } = await pullAndRaw({ maxMessageBytes: 10 });
    raw.hex("000a" + "30".repeat(10));
    expect((await pull.receive()).payload).toHaveLength(10);
  });

  it("holds for all parts together, before they are stored", async () => {
    const { pull, raw } = await pullAndRaw({ maxMessageBytes: 10 });
    const disconnected = record(pull, "disconnected");
    raw.hex("0106" + "30".repeat(6) + "0005" + "30".repeat(5));
    await waitFor(() => disconnected.length > 0, { what: "it was ended" });
    expect(disconnected[0]?.reason).toMatchObject({
      code: "MSG_PAYLOAD_TOO_LARGE",
      message: "peer announced a message of 11 bytes, maxMessageBytes is 10",
    });
  });
});

describe("trap 13: what is no error", () => {
  it.each([
    ["reserved bits", "080172", "r"],
    ["an unknown command", `${command("FOO", "626172")}00016d`, "m"],
    ["a long length of a short body", "02000000000000000141", "A"],
    ["an ERROR behind the handshake", `${command("ERROR", "0178")}00016e`, "n"],
  ])("%s", async (_what, literal, expected) => {
    const { pull, raw } = await pullAndRaw();
    raw.hex(literal);
    expect((await pull.receive()).text()).toBe(expected);
  });

  it.each([
    ["READY without a type", command("READY")],
    ["READY that is not marked as a command", readyOf("PUSH").replace(/^04/, "00")],
  ])("%s", async (_what, ready) => {
    const net = inproc();
    const pull = closing(new PullSocket(net, { protocol }));
    await pull.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(`${greeting() + ready}000178`);
    expect((await pull.receive()).text()).toBe("x");
  });
});

describe("trap 14: a refusal", () => {
  it("is told, in ready() and as an event, and dialed again more slowly", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    await rep.bind("here");
    const sub = closing(new SubSocket(net, { protocol }));
    const retrying = record(sub, "retrying");
    await sub.connect("here");
    const failure = await sub.ready({ timeoutMs: 100 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "MSG_TIMEOUT",
      cause: { code: "MSG_WRONG_SOCKET_TYPE" },
    });
    expect(retrying[0]?.error.message).toBe("peer is REP, a SUB talks to PUB or XPUB");
    expect(retrying[0]?.delayMs).toBeGreaterThanOrEqual(1_000);
  });

  it("of a type is said to the peer too, as the RFC asks", async () => {
    const net = inproc();
    await closing(new RepSocket(net, { protocol })).bind("here");
    const raw = await RawPeer.dial(net, "here");
    await raw.shakeHands("PUSH");
    expect(await raw.takeText()).toBe("\u0005ERROR\u0013Invalid socket type");
    await raw.over();
  });
});

describe("trap 15: a second peer that is connected and never heard", () => {
  it("is none of ours: PAIR and ROUTER end its connection", async () => {
    const net = inproc();
    const pair = closing(new PairSocket(net));
    await pair.bind("pair");
    const router = closing(new RouterSocket(net));
    await router.bind("router");
    for (const [address, type] of [
      ["pair", "PAIR"],
      ["router", "DEALER"],
    ] as const) {
      const first = await RawPeer.dial(net, address);
      await first.shakeHands(type, { identity: "same" });
      const second = await RawPeer.dial(net, address);
      await second.shakeHands(type, { identity: "same" });
      await second.over();
      expect(first.isOver).toBe(false);
    }
  });
});

describe("trap 16: an identity that begins with a zero", () => {
  it("is refused, and may not be ours", async () => {
    const net = inproc();
    const router = closing(new RouterSocket(net));
    const refused = record(router, "refused");
    await router.bind("here");
    const raw = await RawPeer.dial(net, "here");
    await raw.shakeHands("DEALER", { identity: "\u0000ab" });
    await waitFor(() => refused.length > 0, { what: "it was refused" });
    expect(refused[0]?.error.message).toContain("begins with a 0");
    expect(() => new DealerSocket(net, { identity: "\u0000" })).toThrow("identity begins with a 0");
  });
});

describe("trap 17: a peer of another protocol", () => {
  it.each([
    ["HTTP", asHex("GET / HTTP/1.1\r\n\r\n"), "first byte is 0x47"],
    ["ZMTP 1.0", "ff00000000000000017e", "peer speaks ZMTP 1.0"],
    ["ZMTP 2.0", "ff00000000000000017f01060000", "peer speaks ZMTP 2.0"],
    ["no mechanism", greeting({ mechanism: "" }), "names no mechanism"],
    ["another mechanism", greeting({ mechanism: "GSSAPI" }), "mechanism is GSSAPI, ours is NULL"],
  ])("%s is told at once, not when the time is over", async (_what, literal, expected) => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    const refused = record(rep, "refused");
    await rep.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(literal);
    await waitFor(() => refused.length > 0, { what: "it was refused" });
    expect(refused[0]?.error).toMatchObject({ code: "MSG_PROTOCOL" });
    expect(refused[0]?.error.message).toContain(expected);
  });

  it("of a later version is spoken to in ours", async () => {
    const net = inproc();
    const rep = closing(new RepSocket(net, { protocol }));
    await rep.bind("here");
    const raw = await RawPeer.dial(net, "here");
    raw.hex(greeting({ major: 4, minor: 0 }) + readyOf("REQ"));
    await rep.ready();
    expect(rep.peers).toHaveLength(1);
  });
});

describe("trap 18: nonces of sealed frames", () => {
  it("only grow: what is repeated or comes too late ends the connection", () => {
    const { client, server } = ciphers();
    const [first, second, third] = [1, 2, 3].map(() => client.seal(false, false, bytes("61")));
    server.open(first as Uint8Array);
    server.open(third as Uint8Array);
    for (const late of [first, second, third]) {
      expect(() => server.open(late as Uint8Array)).toThrow("a frame was repeated");
    }
  });

  it("belong to one direction: a frame cannot be sent back", () => {
    const { client } = ciphers();
    const sealed = client.seal(false, false, bytes("61"));
    expect(() => client.open(sealed)).toThrow("cannot be opened");
  });
});
