import { bytes, hex, joinBytes, memoryLinks, naiveEncode, SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { SocketType } from "../../src/contracts/protocol.ts";
import { partnerOf } from "../../src/wire/msg/handshake.ts";
import { againstRawPeer, End, startedAgainstRawPeer } from "../connection/connection-scene.ts";

const types: readonly SocketType[] = ["REQ", "REP", "PUB", "SUB", "PUSH", "PULL"];

/** A type's number in HELLO. */
function numberOf(type: SocketType): number {
  return types.indexOf(type) + 1;
}

function hello(type: SocketType, name = ""): Uint8Array {
  return naiveEncode({ type: "hello", socketType: numberOf(type), name });
}

/** Who dials whom with a HELLO: pairs in which the other end cannot be msg-rs. */
const saysHello: readonly SocketType[] = ["REP", "PUB", "PUSH", "PULL"];

describe("a HELLO", () => {
  for (const type of saysHello) {
    const partner = partnerOf[type];

    it(`is the first thing a dialing ${type} writes, with its type and name`, async () => {
      const { peer, end } = await startedAgainstRawPeer(type, "dials", { name: "né" });
      expect(peer.received).toBe(hex(hello(type, "né")));
      expect(end.events).toEqual([]);
    });

    it(`of its ${partner} makes a dialing ${type} ready, and names it`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer(type, "dials");
      peer.send(hello(partner, "them"));
      await runtime.settle();
      expect(end.events).toEqual(["ready"]);
      expect(end.welcome).toEqual({ claims: {}, name: "them" });
    });

    it(`of a ${type} is answered by a ${partner} that accepts, with its own`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer(partner, "accepts", {
        name: "us",
      });
      expect(peer.received).toBe("");
      peer.send(hello(type, "them"));
      await runtime.settle();
      expect(peer.received).toBe(hex(hello(partner, "us")));
      expect(end.events).toEqual(["ready"]);
      expect(end.welcome).toEqual({ claims: {}, name: "them" });
    });
  }

  it("may come one byte at a time, with the first frames behind it", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer(
      "PULL",
      "accepts",
      {},
      { pieceBytes: 1 },
    );
    peer.send(joinBytes([hello("PUSH", "them"), bytes("04 00 00000000 00000001 78")]));
    await runtime.settle();
    expect(end.welcome?.name).toBe("them");
    expect(end.recording.frames).toEqual([expect.objectContaining({ type: "job", sequence: 0 })]);
  });

  it("may come in one piece with the first frames behind it", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
    peer.send(joinBytes([hello("PUSH"), bytes("04 00 00000000 00000001 78")]));
    await runtime.settle();
    expect(end.recording.frames.length).toBe(1);
  });

  for (const length of [0, 1, 255]) {
    it(`may have a name of ${length} bytes`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
      peer.send(hello("PUSH", "n".repeat(length)));
      await runtime.settle();
      expect(end.welcome?.name).toBe("n".repeat(length));
    });
  }

  it("may have a name that is not UTF-8: it shows as U+FFFD", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
    peer.send("00 01 05 0003 61ff62");
    await runtime.settle();
    expect(end.welcome?.name).toBe("a\ufffdb");
  });

  it("with a name over 255 bytes is refused as malformed, before the name comes", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
    peer.send("00 01 05 0100");
    await runtime.pass(500);
    expect(peer.received).toBe("000003");
    expect(end.events).toEqual(["closed"]);
    expect(end.reason?.code).toBe("MSG_PROTOCOL");
    expect(end.reason?.message).toContain("256");
  });

  it("of another version is refused as such, before the rest comes", async () => {
    for (const version of ["02", "7f", "ff"]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
      peer.send(`00 ${version}`);
      await runtime.pass(500);
      expect(peer.received).toBe("000001");
      expect(end.reason?.code).toBe("MSG_PROTOCOL");
      expect(end.reason?.message).toContain("version");
    }
  });

  it("of an unknown type is refused as such", async () => {
    for (const type of ["00", "07", "ff"]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
      peer.send(`00 01 ${type} 0000`);
      await runtime.pass(500);
      expect(peer.received).toBe("000002");
      expect(end.reason?.code).toBe("MSG_WRONG_SOCKET_TYPE");
    }
  });

  it("that the acceptor dislikes ends the connection behind the refusal, not before", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
    peer.send(hello("PUB"));
    await runtime.settle();
    expect(peer.received).toBe("000002");
    expect(peer.hasPeerEnded).toBe(true);
    expect(end.events).toEqual([]);
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["closed"]);
    expect(peer.isClosed).toBe(true);
  });

  it("in answer is not answered when the dialer dislikes it", async () => {
    for (const answer of ["00 02 06 0000", "00 01 01 0000", "00 01 06 0100"]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("PUSH", "dials");
      const sent = peer.received;
      peer.send(answer);
      await runtime.pass(500);
      expect(peer.received).toBe(sent);
      expect(end.events).toEqual(["closed"]);
    }
  });

  const refusals = [
    { reason: 1, code: "MSG_PROTOCOL", says: "version 1" },
    { reason: 2, code: "MSG_WRONG_SOCKET_TYPE", says: "PULL" },
    { reason: 3, code: "MSG_PROTOCOL", says: "reason 3" },
    { reason: 200, code: "MSG_PROTOCOL", says: "reason 200" },
  ];
  for (const { reason, code, says } of refusals) {
    it(`refused with reason ${reason} closes the dialer's connection with ${code}`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("PUSH", "dials");
      peer.send(naiveEncode({ type: "hello refused", reason }));
      await runtime.pass(500);
      expect(end.events).toEqual(["closed"]);
      expect(end.reason).toMatchObject({ code, message: expect.stringContaining(says) });
    });
  }

  it("is the only legal kind: another one closes the connection, naming both", async () => {
    for (const kind of ["01", "02", "03", "04", "16", "47", "ff"]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts");
      peer.send(`${kind} 000000000000000000`);
      await runtime.pass(500);
      expect(peer.received).toBe("");
      expect(end.reason).toMatchObject({
        code: "MSG_PROTOCOL",
        message: `peer sent frame kind 0x${kind}, expected 0x00`,
      });
    }
  });
});

describe("a connection without a HELLO", () => {
  for (const [type, side] of [
    ["REQ", "dials"],
    ["SUB", "dials"],
    ["REP", "accepts"],
    ["PUB", "accepts"],
  ] as const) {
    it(`is ready before start returns when a ${type} ${side}, and writes nothing`, async () => {
      const { runtime, connection, end, peer } = againstRawPeer(type, side);
      connection.start();
      expect(end.events).toEqual(["ready"]);
      await runtime.settle();
      expect(peer.received).toBe("");
    });

    it(`has no deadline when a ${type} ${side}: silence is legal`, async () => {
      const { runtime, end } = await startedAgainstRawPeer(type, side);
      await runtime.pass(24 * 3_600_000);
      expect(end.events).toEqual(["ready"]);
      expect(runtime.timersInMs).toEqual([]);
    });
  }
});

/** What a dialer that says no HELLO writes first; until then nobody can tell what it is. */
const firstWords: Partial<Record<SocketType, string>> = {
  REQ: "02 00 00000001 00000000",
  SUB: "03 00 0009 4d53472e5355422e61 0000000000000000 00000000 00000000",
};

/** Connects a dialer of one type to an acceptor of another, and lets it say its first word. */
async function connect(dialerType: SocketType, acceptorType: SocketType) {
  const runtime = new SimulatedRuntime();
  const { dialed, accepted } = memoryLinks({ runtime });
  const options = { onPeerEnded: (end: End<SocketType>) => end.connection.close(100) };
  const dialer = new End(dialerType, true, dialed, runtime, options);
  const acceptor = new End(acceptorType, false, accepted, runtime, options);
  acceptor.connection.start();
  dialer.connection.start();
  dialer.connection.outbox.append(bytes(firstWords[dialerType] ?? ""));
  await runtime.pass(1_000);
  return { dialer, acceptor };
}

const pairs = types.flatMap((dialer) => types.map((acceptor) => [dialer, acceptor] as const));
const rightPairs = pairs.filter(([dialer, acceptor]) => partnerOf[dialer] === acceptor);
const wrongPairs = pairs.filter(([dialer, acceptor]) => partnerOf[dialer] !== acceptor);
const toldPairs = wrongPairs.filter(([dialer]) => saysHello.includes(dialer));
const silentPairs = wrongPairs.filter(([dialer]) => !saysHello.includes(dialer));

describe.each(rightPairs)("a %s that dials a %s", (dialerType, acceptorType) => {
  it("is let in, and nothing is wrong with what it says first", async () => {
    const { dialer, acceptor } = await connect(dialerType, acceptorType);
    expect(dialer.events).toEqual(["ready"]);
    expect(acceptor.events).toEqual(["ready"]);
    const isSilent = firstWords[dialerType] === undefined;
    expect(acceptor.recording.frames.length).toBe(isSilent ? 0 : 1);
  });
});

describe.each(toldPairs)("a %s that dials a %s", (dialerType, acceptorType) => {
  it("is told that its type is wrong, and both ends know why", async () => {
    const { dialer, acceptor } = await connect(dialerType, acceptorType);
    expect(dialer.reason?.code).toBe("MSG_WRONG_SOCKET_TYPE");
    expect(acceptor.reason?.code).toBe("MSG_WRONG_SOCKET_TYPE");
    expect(hex(acceptor.link.writtenBytes)).toBe("000002");
    expect(dialer.events).toEqual(["closed"]);
  });
});

describe.each(silentPairs)("a %s that dials a %s", (dialerType, acceptorType) => {
  it("is closed when it says its first word", async () => {
    const { dialer, acceptor } = await connect(dialerType, acceptorType);
    expect(acceptor.reason?.code).toBe("MSG_PROTOCOL");
    expect(acceptor.recording.frames).toEqual([]);
    expect(dialer.events).toEqual(["ready", "peer ended", "closed"]);
  });
});
