import { bytes, hex, joinBytes, naiveEncode } from "@msg-ts/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConnectionHook, HandshakeLink } from "../../src/contracts/authenticator.ts";
import { MsgError } from "../../src/errors.ts";
import { againstRawPeer, startedAgainstRawPeer } from "./connection-scene.ts";

const request = "02 00 00000001 00000001 78";
const reply = "02 00 00000001 00000001 79";

function requests(count: number): Uint8Array {
  const frames = Array.from({ length: count }, (_, id) =>
    naiveEncode({ type: "request", id, compression: 0, payload: bytes("78") }),
  );
  return joinBytes(frames);
}

describe("a connection that is ready", () => {
  it("tells its frames and counts what came", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    peer.send(`${request} ${request.slice(0, 8)}`);
    await runtime.settle();
    expect(end.recording.frames.length).toBe(1);
    expect(connection.receivedBytes).toBe(14);
    expect(connection.undecodedBytes).toBe(3);
  });

  it("sends what was written in a tick in one write", async () => {
    const { runtime, end, peer } = await startedAgainstRawPeer("REP", "accepts");
    for (let id = 0; id < 100; id++) end.writer.reply(id, 0, bytes("79"));
    expect(end.link.writes).toEqual([]);
    await runtime.settle();
    expect(end.link.writes.length).toBe(1);
    expect(peer.received.length).toBe(100 * 11 * 2);
  });

  it("lets its owner add to a tick before it is sent", async () => {
    const { runtime, end, peer } = await startedAgainstRawPeer("REP", "accepts", {
      onBeforeFlush: ({ connection }) => connection.outbox.append(bytes("ee")),
    });
    end.writer.reply(1, 0, bytes("79"));
    await runtime.settle();
    expect(peer.received).toBe(`${hex(bytes(reply))}ee`);
    expect(end.link.writes.length).toBe(1);
  });

  it("tells its owner when there is room again, after it was seen full", async () => {
    const { runtime, end, connection } = await startedAgainstRawPeer("REP", "accepts", {
      sendHighWaterBytes: 100,
    });
    end.link.hold();
    end.writer.reply(1, 0, new Uint8Array(200));
    expect(connection.outbox.isFull).toBe(true);
    await runtime.settle();
    expect(end.events).toEqual(["ready"]);
    end.link.unhold();
    await runtime.settle();
    expect(connection.outbox.isFull).toBe(false);
    expect(end.events).toEqual(["ready", "drain"]);
  });

  it("closes when a frame breaks the protocol, and says what came before was told", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts");
    peer.send(`${request} 99`);
    await runtime.pass(500);
    expect(end.recording.frames.length).toBe(1);
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason?.code).toBe("MSG_PROTOCOL");
  });

  it("says why a HELLO is refused before it closes", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts");
    peer.send("00 01 05 0000");
    await runtime.settle();
    expect(peer.received).toBe("000002");
    expect(peer.hasPeerEnded).toBe(true);
    expect(end.reason).toBeUndefined();
    await runtime.pass(500);
    expect(end.reason?.code).toBe("MSG_WRONG_SOCKET_TYPE");
  });

  it("ends with the reason of its link when that is lost", async () => {
    const { runtime, end } = await startedAgainstRawPeer("REP", "accepts");
    const reason = new MsgError("MSG_PEER_LOST", "reset by peer");
    end.link.cut(reason);
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason).toBe(reason);
  });

  it("tells each event once, however its link ends", async () => {
    const { runtime, end, connection, peer } = await startedAgainstRawPeer("REP", "accepts");
    connection.close(100);
    connection.close(100);
    connection.destroy();
    peer.link.destroy();
    await runtime.pass(1_000);
    connection.destroy();
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
    expect(runtime.timersInMs).toEqual([]);
  });
});

describe("a connection whose peer ends", () => {
  it("tells its owner behind the last frame, and can still write", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    peer.send(request);
    peer.link.end();
    await runtime.settle();
    expect(end.recording.frames.length).toBe(1);
    expect(end.events).toEqual(["ready", "peer ended"]);
    expect(connection.phase).toBe("half-open");
    end.writer.reply(1, 0, bytes("79"));
    await runtime.settle();
    expect(peer.received).toBe(hex(bytes(reply)));
    connection.close(1_000);
    await runtime.settle();
    expect(end.events).toEqual(["ready", "peer ended", "closed"]);
    expect(end.reason).toBeUndefined();
  });

  const frames = [
    { type: "REQ", side: "dials", frame: "02 00 00000001 00000002 7879" },
    { type: "REP", side: "accepts", frame: "02 00 00000001 00000002 7879" },
    { type: "SUB", side: "dials", frame: "03 00 0001 61 0000000000000001 00000002 00000002 7879" },
    {
      type: "PUB",
      side: "accepts",
      frame: "03 00 0009 4d53472e5355422e61 0000000000000000 00000000 00000000",
    },
  ] as const;
  for (const { type, side, frame } of frames) {
    it(`in the middle of a frame broke the protocol of a ${type}, wherever it is cut`, async () => {
      const whole = bytes(frame);
      for (let cut = 1; cut < whole.length; cut++) {
        const { runtime, peer, end } = await startedAgainstRawPeer(type, side);
        peer.send(joinBytes([whole, whole.subarray(0, cut)]));
        peer.link.end();
        await runtime.pass(500);
        expect(end.recording.frames.length).toBe(1);
        expect(end.events).toEqual(["ready", "closed"]);
        expect(end.reason).toMatchObject({
          code: "MSG_PROTOCOL",
          message: `peer ended ${cut} bytes into a frame`,
        });
      }
    });
  }

  it("while it is held tells the rest first, then the end", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    const tell = end.recording.sink.onRequest.bind(end.recording.sink);
    end.recording.sink.onRequest = (id, payload, wasCompressed) => {
      tell(id, payload, wasCompressed);
      if (id === 1) connection.hold();
    };
    peer.send(requests(5));
    peer.link.end();
    await runtime.settle();
    expect(end.recording.frames.length).toBe(2);
    expect(end.events).toEqual(["ready"]);
    connection.release();
    await runtime.settle();
    expect(end.recording.frames.length).toBe(5);
    expect(end.events).toEqual(["ready", "peer ended"]);
  });

  it("between a release and the end of its tick tells the rest first, then the end", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.hold();
    end.link.setReading(true);
    peer.send(requests(3));
    runtime.run();
    expect(connection.undecodedBytes).toBe(33);
    peer.link.end();
    // The turn that brings the end begins with a release whose tick is not over yet.
    runtime.runTurnWithoutTicks(() => connection.release());
    expect(end.events).toEqual(["ready"]);
    await runtime.settle();
    expect(end.recording.frames.length).toBe(3);
    expect(end.events).toEqual(["ready", "peer ended"]);
  });

  it("while it is held in the middle of a frame broke the protocol once it is released", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    const tell = end.recording.sink.onRequest.bind(end.recording.sink);
    end.recording.sink.onRequest = (id, payload, wasCompressed) => {
      tell(id, payload, wasCompressed);
      connection.hold();
    };
    peer.send(requests(2).subarray(0, -1));
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["ready"]);
    connection.release();
    await runtime.pass(500);
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason?.message).toContain("10 bytes into a frame");
  });
});

describe("a connection that is held", () => {
  it("stops reading from its link, and reads on when every hold is released", async () => {
    const { runtime, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.hold();
    connection.hold();
    expect(connection.isOpen).toBe(false);
    connection.release();
    await runtime.settle();
    expect(end.link.readingChanges).toEqual([false]);
    connection.release();
    expect(connection.isOpen).toBe(true);
    expect(end.link.readingChanges).toEqual([false]);
    await runtime.settle();
    expect(end.link.readingChanges).toEqual([false, true]);
  });

  it("tells nothing inside the call that releases it", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.hold();
    peer.send(requests(1));
    end.link.setReading(true);
    await runtime.settle();
    connection.release();
    expect(end.recording.frames).toEqual([]);
    runtime.runTicks();
    expect(end.recording.frames.length).toBe(1);
  });

  it("stays held when it is held again before the tick of its release ends", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.hold();
    peer.send(requests(1));
    end.link.setReading(true);
    await runtime.settle();
    connection.release();
    connection.hold();
    await runtime.settle();
    expect(end.recording.frames).toEqual([]);
    connection.release();
    await runtime.settle();
    expect(end.recording.frames.length).toBe(1);
  });

  it("while it becomes ready has its hold kept", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts", {
      onReady: (ready) => ready.connection.hold(),
    });
    peer.send(requests(2));
    await runtime.settle();
    expect(end.link.readingChanges).toEqual([false]);
    expect(end.recording.frames).toEqual([]);
    expect(connection.undecodedBytes).toBe(0);
    connection.release();
    await runtime.settle();
    expect(end.recording.frames.length).toBe(2);
  });

  it("at every frame tells all of them in order, however they are cut", async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(cuts, async (lengths) => {
      let piece = 0;
      const pieceBytes = (): number => lengths[piece++ % lengths.length] ?? 1;
      const scene = await startedAgainstRawPeer("REP", "accepts", {}, { pieceBytes });
      const { runtime, peer, end, connection } = scene;
      const ids: number[] = [];
      end.recording.sink.onRequest = (id) => {
        ids.push(id);
        connection.hold();
        runtime.nextTurn(() => connection.release());
      };
      peer.send(requests(10));
      peer.link.end();
      await runtime.settle();
      expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(end.events).toEqual(["ready", "peer ended"]);
    });
    await fc.assert(property, { seed: 20_261_120, numRuns: 50 });
  });
});

describe("a connection that is closed in order", () => {
  it("sends what is queued, ends its side, and is closed when the peer ends too", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    end.writer.reply(1, 0, bytes("79"));
    connection.close(1_000);
    await runtime.settle();
    expect(peer.received).toBe(hex(bytes(reply)));
    expect(peer.hasPeerEnded).toBe(true);
    expect(end.events).toEqual(["ready"]);
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason).toBeUndefined();
    expect(runtime.timersInMs).toEqual([]);
  });

  it("discards what comes until the peer ends, and holds none of it", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.close(1_000);
    const frames = requests(1_000);
    for (let count = 0; count < 20; count++) {
      peer.send(frames);
      await runtime.settle();
    }
    expect(connection.undecodedBytes).toBe(0);
    expect(connection.receivedBytes).toBe(20 * frames.length);
    expect(end.recording.frames).toEqual([]);
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
  });

  it("is destroyed when the peer does not end within linger", async () => {
    const { runtime, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.close(1_000);
    await runtime.pass(999);
    expect(end.events).toEqual(["ready"]);
    await runtime.pass(1);
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason).toBeUndefined();
  });

  it("reads on to discard when it was held, and when it is held afterwards", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    connection.hold();
    connection.close(1_000);
    connection.release();
    connection.hold();
    peer.send(requests(3));
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.recording.frames).toEqual([]);
  });

  it("by its sink, in the middle of a chunk, tells none of the frames behind", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    const ids: number[] = [];
    end.recording.sink.onRequest = (id) => {
      ids.push(id);
      if (id === 1) connection.close(100);
    };
    peer.send(requests(5));
    await runtime.pass(100);
    expect(ids).toEqual([0, 1]);
  });

  it("before it is ready ends its handshake, whose verdict is then late", async () => {
    let decide: ((verdict: boolean) => void) | undefined;
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts", {
      authenticator: () =>
        new Promise<boolean>((resolve) => {
          decide = resolve;
        }),
    });
    peer.send("01 00000000");
    await runtime.settle();
    connection.close(1_000);
    decide?.(true);
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["closed"]);
    expect(peer.received).toBe("");
  });

  it("while it becomes ready decodes nothing and holds nothing", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts", {
      onReady: (ready) => ready.connection.close(1_000),
    });
    peer.send(requests(100));
    await runtime.settle();
    expect(connection.undecodedBytes).toBe(0);
    expect(end.recording.frames).toEqual([]);
    peer.link.end();
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
  });

  it("by its owner also in the flush that comes with it ends once", async () => {
    let closes = 0;
    const { runtime, end, connection } = await startedAgainstRawPeer("REP", "accepts", {
      onBeforeFlush: (ready) => {
        if (closes++ === 0) ready.connection.close(500);
      },
    });
    end.writer.reply(1, 0, bytes("79"));
    connection.close(1_000);
    expect(runtime.timersInMs).toEqual([500]);
    await runtime.pass(500);
    expect(end.events).toEqual(["ready", "closed"]);
    expect(runtime.timersInMs).toEqual([]);
  });
});

describe("a connection that is destroyed", () => {
  it("is closed without sending what is queued, with the reason it was given", async () => {
    const { runtime, peer, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    end.writer.reply(1, 0, bytes("79"));
    const reason = new MsgError("MSG_SLOW_PEER", "too slow");
    connection.destroy(reason);
    expect(end.events).toEqual(["ready"]);
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason).toBe(reason);
    expect(peer.received).toBe("");
  });

  it("while it ends is closed at once, with the first reason", async () => {
    const { runtime, end, connection } = await startedAgainstRawPeer("REP", "accepts");
    const first = new MsgError("MSG_PROTOCOL", "first");
    connection.close(10_000, first);
    connection.destroy(new MsgError("MSG_CLOSED", "second"));
    await runtime.settle();
    expect(end.events).toEqual(["ready", "closed"]);
    expect(end.reason).toBe(first);
    expect(runtime.timersInMs).toEqual([]);
  });

  it("before it was started is closed when it is started", async () => {
    const { runtime, end, connection } = againstRawPeer("REP", "accepts");
    connection.destroy();
    connection.start();
    await runtime.pass(20_000);
    expect(end.events).toEqual(["closed"]);
    expect(runtime.timersInMs).toEqual([]);
  });
});

function hooked(hook: ConnectionHook, handshakeTimeoutMs = 10_000) {
  return startedAgainstRawPeer("REP", "accepts", { hook, handshakeTimeoutMs });
}

describe("a connection hook", () => {
  it("owns the bytes until it says yes; what it did not read are the first frames", async () => {
    const { runtime, peer, end } = await hooked(async (link) => {
      expect(link.isDialer).toBe(false);
      expect(link.peer).toEqual({ address: "memory:accepted", transport: "memory" });
      link.write("who?");
      return { identity: Buffer.from(await link.read(5)).toString() };
    });
    expect(Buffer.from(peer.received, "hex").toString()).toBe("who?");
    peer.send(joinBytes([Buffer.from("alice"), requests(2)]));
    await runtime.settle();
    expect(end.welcome?.claims).toEqual({ identity: "alice" });
    expect(end.recording.frames.length).toBe(2);
  });

  it("may leave bytes that it looked at", async () => {
    const { runtime, peer, end } = await hooked(async (link) => {
      await link.peek(11);
    });
    peer.send(requests(1));
    await runtime.settle();
    expect(end.welcome?.claims).toEqual({});
    expect(end.recording.frames.length).toBe(1);
  });

  it("replaces the authenticator, and comes before HELLO", async () => {
    const { runtime, peer, end } = await startedAgainstRawPeer("PULL", "accepts", {
      hook: async (link) => {
        await link.read(1);
      },
    });
    peer.send("aa 00 01 05 0000");
    await runtime.settle();
    expect(peer.received).toBe("0001060000");
    expect(end.events).toEqual(["ready"]);
  });

  it("that throws refuses the peer, with its error as the cause", async () => {
    const cause = new Error("no");
    const { runtime, end } = await hooked(() => Promise.reject(cause));
    await runtime.pass(500);
    expect(end.events).toEqual(["closed"]);
    expect(end.reason).toMatchObject({ code: "MSG_AUTH_FAILED", cause });
  });

  it("that throws one of our errors refuses the peer with that", async () => {
    const error = new MsgError("MSG_AUTH_REJECTED", "not you");
    const { runtime, end } = await hooked(() => Promise.reject(error));
    await runtime.pass(500);
    expect(end.reason).toBe(error);
  });

  it("has until the deadline, then its reads reject and its signal aborts", async () => {
    const told: unknown[] = [];
    const hook = async (link: HandshakeLink) => {
      link.signal.addEventListener("abort", () => told.push("aborted"));
      await link.read(1).catch((error: unknown) => {
        told.push(error);
        throw error;
      });
    };
    const { runtime, end } = await hooked(hook, 2_000);
    await runtime.pass(2_000);
    expect(told).toContain("aborted");
    expect(told).toContainEqual(expect.objectContaining({ code: "MSG_HANDSHAKE_TIMEOUT" }));
    expect(end.reason?.code).toBe("MSG_HANDSHAKE_TIMEOUT");
  });

  it("hears of the peer's end by its reads", async () => {
    const { runtime, peer, end } = await hooked(async (link) => {
      await link.read(1);
    });
    peer.link.end();
    await runtime.pass(500);
    expect(end.events).toEqual(["closed"]);
    expect(end.reason?.code).toBe("MSG_PEER_LOST");
  });

  it("that reads nothing lets at most 8 KiB wait, whatever the peer sends", async () => {
    let finish: (() => void) | undefined;
    const hook = () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      });
    const { runtime, peer, end, connection } = await hooked(hook);
    for (let count = 0; count < 50; count++) {
      peer.send(requests(100));
      await runtime.settle();
    }
    expect(connection.receivedBytes).toBeLessThan(8 * 1024 + 1100);
    finish?.();
    await runtime.settle();
    expect(end.recording.frames.length).toBe(5000);
  });
});

describe("a connection whose link reads where it is told", () => {
  it("keeps nothing of memory that others read into, whole frames or pieces", async () => {
    for (const pieceBytes of [7, Infinity]) {
      const placed = { placesReads: true, pieceBytes };
      const { runtime, peer, end } = await startedAgainstRawPeer("REP", "accepts", {}, placed);
      peer.send(requests(20));
      await runtime.settle();
      expect(end.recording.payloads.map(hex)).toEqual(Array.from({ length: 20 }, () => "78"));
    }
  });

  it("keeps nothing of it in its handshake either", async () => {
    const tokens: string[] = [];
    const scene = await startedAgainstRawPeer(
      "REP",
      "accepts",
      {
        authenticator: ({ token }) => {
          tokens.push(hex(token));
          return true;
        },
      },
      { placesReads: true, pieceBytes: 3 },
    );
    scene.peer.send(joinBytes([bytes("01 00000003 aabbcc"), requests(1)]));
    await scene.runtime.settle();
    expect(tokens).toEqual(["aabbcc"]);
    expect(scene.end.recording.payloads.map(hex)).toEqual(["78"]);
  });
});
