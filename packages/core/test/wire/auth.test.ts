import { bytes, hex, naiveEncode } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import type { AuthRequest } from "../../src/contracts/authenticator.ts";
import { againstRawPeer, startedAgainstRawPeer } from "../connection/connection-scene.ts";
import { ascii } from "./golden-vectors.ts";

//                    kind length   c l i e n t 1
const golden = bytes("01   00000007 636c69656e7431");
const request = "02 00 00000001 00000001 78";

describe("a token that is presented", () => {
  it("is written before start returns, in one write and nothing behind it", async () => {
    const { runtime, connection, peer, end } = againstRawPeer("REQ", "dials", {
      authToken: "client1",
    });
    connection.start();
    expect(end.link.writes.map((chunks) => chunks.map(hex))).toEqual([[hex(golden)]]);
    await runtime.settle();
    expect(peer.received).toBe(hex(golden));
    expect(end.events).toEqual([]);
  });

  it("may be bytes, or a function that gives it at once or later", async () => {
    for (const authToken of [
      ascii("client1"),
      () => "client1",
      () => ascii("client1"),
      () => Promise.resolve("client1"),
    ]) {
      const { peer } = await startedAgainstRawPeer("REQ", "dials", { authToken });
      expect(peer.received).toBe(hex(golden));
    }
  });

  for (const length of [0, 1, 1024]) {
    it(`may have ${length} bytes`, async () => {
      const token = new Uint8Array(length).fill(0x61);
      const { peer } = await startedAgainstRawPeer("REQ", "dials", { authToken: token });
      expect(peer.received).toBe(hex(naiveEncode({ type: "auth", token })));
    });
  }

  it("is refused at our own end over 1 KiB: msg-rs cannot take a fragmented one", async () => {
    const authToken = "a".repeat(1025);
    const { runtime, peer, end } = await startedAgainstRawPeer("REQ", "dials", { authToken });
    await runtime.pass(500);
    expect(peer.received).toBe("");
    expect(end.reason).toMatchObject({
      code: "MSG_INVALID_OPTION",
      message: expect.stringContaining("1025"),
    });
  });

  it("whose function fails closes the connection, with the cause", async () => {
    const cause = new Error("no secret");
    const authToken = (): string => {
      throw cause;
    };
    const { runtime, end } = await startedAgainstRawPeer("REQ", "dials", { authToken });
    await runtime.pass(500);
    expect(end.reason).toMatchObject({ code: "MSG_AUTH_FAILED", cause });
  });

  for (const answer of ["01 01", "01 02", "01 ff"]) {
    it(`is accepted by ${answer}`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("REQ", "dials", {
        authToken: "client1",
      });
      peer.send(answer);
      await runtime.settle();
      expect(end.events).toEqual(["ready"]);
    });
  }

  it("is accepted by an answer in two pieces, and frames behind it are told", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer(
      "REQ",
      "dials",
      { authToken: "client1" },
      { pieceBytes: 1 },
    );
    peer.send(`01 01 ${request}`);
    await runtime.settle();
    expect(end.recording.frames).toEqual([expect.objectContaining({ type: "reply", id: 1 })]);
  });

  it("is rejected by 01 00", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("REQ", "dials", {
      authToken: "client1",
    });
    peer.send("01 00");
    await runtime.pass(500);
    expect(end.events).toEqual(["closed"]);
    expect(end.reason?.code).toBe("MSG_AUTH_REJECTED");
  });

  for (const before of ["", "01"]) {
    it(`is rejected by an end of the stream behind "${before}"`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("REQ", "dials", {
        authToken: "client1",
      });
      peer.send(before);
      peer.link.end();
      await runtime.pass(500);
      expect(end.reason?.code).toBe("MSG_AUTH_REJECTED");
    });
  }

  it("is answered with nothing else: another kind closes the connection", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("REQ", "dials", {
      authToken: "client1",
    });
    peer.send("02 00");
    await runtime.pass(500);
    expect(end.reason).toMatchObject({
      code: "MSG_PROTOCOL",
      message: expect.stringContaining("0x02"),
    });
  });

  it("comes before HELLO, which waits for the answer", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PUSH", "dials", {
      authToken: "client1",
    });
    expect(peer.received).toBe(hex(golden));
    peer.send("01 01");
    await runtime.settle();
    expect(peer.received).toBe(`${hex(golden)}0001050000`);
    peer.send("00 01 06 0000");
    await runtime.settle();
    expect(end.events).toEqual(["ready"]);
  });
});

describe("a token that is checked", () => {
  const yes = { authenticator: () => true };

  it("lets the peer in, which gets two bytes and no more", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", yes);
    expect(end.events).toEqual([]);
    peer.send(golden);
    await runtime.settle();
    expect(peer.received).toBe("0101");
    expect(end.events).toEqual(["ready"]);
    expect(end.welcome).toEqual({ claims: {}, name: "" });
  });

  it("is given to the authenticator with what is known of the peer", async () => {
    const asked: AuthRequest[] = [];
    const authenticator = (request_: AuthRequest) => {
      asked.push(request_);
      return { identity: "alice", role: "reader" };
    };
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", { authenticator });
    peer.send(golden);
    await runtime.settle();
    expect(asked.map(({ token }) => hex(token))).toEqual([hex(ascii("client1"))]);
    expect(asked[0]?.peer).toEqual({ address: "memory:accepted", transport: "memory" });
    expect(asked[0]?.signal.aborted).toBe(false);
    expect(end.welcome?.claims).toEqual({ identity: "alice", role: "reader" });
  });

  it("may come one byte at a time, with frames behind it that are told", async () => {
    for (const authenticator of [() => true, () => Promise.resolve(true)]) {
      for (const pieceBytes of [1, 1000]) {
        const { runtime, peer, end } = await startedAgainstRawPeer(
          "REP",
          "accepts",
          { authenticator },
          { pieceBytes },
        );
        peer.send(`${hex(golden)} ${request}`);
        await runtime.settle();
        expect(peer.received).toBe("0101");
        expect(end.recording.frames).toEqual([expect.objectContaining({ type: "request", id: 1 })]);
      }
    }
  });

  for (const length of [0, 1, 4096]) {
    it(`may have ${length} bytes`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", yes);
      peer.send(naiveEncode({ type: "auth", token: new Uint8Array(length) }));
      await runtime.settle();
      expect(end.events).toEqual(["ready"]);
    });
  }

  for (const length of ["00001001", "ffffffff"]) {
    it(`of 0x${length} bytes is refused before it comes`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", yes);
      peer.send(`01 ${length}`);
      await runtime.pass(500);
      expect(end.events).toEqual(["closed"]);
      expect(end.reason).toMatchObject({
        code: "MSG_PAYLOAD_TOO_LARGE",
        message: expect.stringContaining(`${Number(`0x${length}`)} bytes, the limit is 4096`),
      });
    });
  }

  const refusals: readonly { readonly what: string; readonly verdict: unknown }[] = [
    { what: "false", verdict: false },
    { what: "nothing", verdict: undefined },
    { what: "null", verdict: null },
    { what: "1", verdict: 1 },
    { what: "a text", verdict: "yes" },
    { what: "a promise of false", verdict: Promise.resolve(false) },
  ];
  for (const { what, verdict } of refusals) {
    const authenticator = () => verdict as boolean;
    it(`is refused when the authenticator gives ${what}, and the peer is told`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", {
        authenticator,
      });
      peer.send(`${hex(golden)} ${request}`);
      await runtime.pass(500);
      expect(peer.received).toBe("0100");
      expect(peer.hasPeerEnded || peer.isClosed).toBe(true);
      expect(end.events).toEqual(["closed"]);
      expect(end.reason?.code).toBe("MSG_AUTH_REJECTED");
      expect(end.recording.frames).toEqual([]);
    });
  }

  it("is refused when the authenticator fails, with the cause, and the peer is told", async () => {
    const cause = new Error("database is down");
    for (const authenticator of [
      () => {
        throw cause;
      },
      () => Promise.reject(cause),
    ]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", {
        authenticator,
      });
      peer.send(golden);
      await runtime.pass(500);
      expect(peer.received).toBe("0100");
      expect(end.reason).toMatchObject({ code: "MSG_AUTH_FAILED", cause });
    }
  });

  it("is asked for: a peer that begins with another frame is closed", async () => {
    for (const first of [request, "00 01 05 0000", "03"]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", yes);
      peer.send(first);
      await runtime.pass(500);
      expect(peer.received).toBe("");
      expect(end.reason?.code).toBe("MSG_PROTOCOL");
    }
  });

  it("is waited for until the deadline, then the connection is gone at once", async () => {
    for (const sent of ["", "01", "01 000000", "01 00000007 636c"]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", {
        ...yes,
        handshakeTimeoutMs: 3_000,
      });
      peer.send(sent);
      await runtime.pass(2_999);
      expect(end.events).toEqual([]);
      await runtime.pass(1);
      expect(end.events).toEqual(["closed"]);
      expect(end.reason).toMatchObject({
        code: "MSG_HANDSHAKE_TIMEOUT",
        message: "handshake took over 3000 ms",
      });
      expect(runtime.timersInMs).toEqual([]);
    }
  });

  it("stops being checked when the deadline passes: the signal aborts, the verdict is late", async () => {
    let signal: AbortSignal | undefined;
    let decide: ((verdict: boolean) => void) | undefined;
    const authenticator = (asked: AuthRequest) => {
      ({ signal } = asked);
      return new Promise<boolean>((resolve) => {
        decide = resolve;
      });
    };
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", { authenticator });
    peer.send(golden);
    await runtime.pass(10_000);
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toMatchObject({ code: "MSG_HANDSHAKE_TIMEOUT" });
    decide?.(true);
    await runtime.settle();
    expect(end.events).toEqual(["closed"]);
    expect(peer.received).toBe("");
  });

  it("stops being checked when the peer goes: the signal aborts", async () => {
    let signal: AbortSignal | undefined;
    const authenticator = (asked: AuthRequest) => {
      ({ signal } = asked);
      return new Promise<boolean>(() => {});
    };
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", { authenticator });
    peer.send(golden);
    await runtime.settle();
    peer.link.destroy();
    await runtime.settle();
    expect(signal?.aborted).toBe(true);
    expect(end.events).toEqual(["closed"]);
  });

  it("of a peer that then ended its side still gets the answer, and its request is told", async () => {
    for (const authenticator of [() => true, () => Promise.resolve(true)]) {
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", {
        authenticator,
      });
      peer.send(`${hex(golden)} ${request}`);
      peer.link.end();
      await runtime.settle();
      expect(peer.received).toBe("0101");
      expect(end.events).toEqual(["ready", "peer ended"]);
      expect(end.recording.frames.length).toBe(1);
    }
  });

  it("comes before HELLO", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts", yes);
    peer.send(`${hex(golden)} 00 01 05 0000`);
    await runtime.settle();
    expect(peer.received).toBe("01010001060000");
    expect(end.events).toEqual(["ready"]);
  });

  it("does not spare a wrong type its refusal: a PUSH at a REP is told behind the answer", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", yes);
    peer.send(`${hex(golden)} 00 01 05 0000`);
    await runtime.pass(500);
    expect(peer.received).toBe("0101000002");
    expect(end.reason?.code).toBe("MSG_WRONG_SOCKET_TYPE");
  });
});

describe("a token nobody asked for", () => {
  for (const type of ["REP", "PUB", "PULL", "PUSH"] as const) {
    it(`closes the connection of a ${type} without authenticator`, async () => {
      const { runtime, peer, end } = await startedAgainstRawPeer(type, "accepts");
      peer.send(golden);
      await runtime.pass(500);
      expect(peer.received).toBe("");
      expect(end.reason).toMatchObject({
        code: "MSG_PROTOCOL",
        message: expect.stringContaining("0x01"),
      });
    });
  }
});
