import { hex, memoryLinks, SimulatedRuntime } from "@msg-ts/testing";
import { describe, expect, it } from "vitest";
import { LinkHandshake, maxUnreadBytes } from "../../src/connection/handshake-link.ts";
import { MsgError } from "../../src/errors.ts";

const peerLost = new MsgError("MSG_PEER_LOST", "peer ended");

/** What it means that the peer ended; still the loss of a peer. */
function explain(cause: MsgError): MsgError {
  return new MsgError("MSG_PEER_LOST", "it dislikes us", { cause });
}

/** A handshake on one end of a link; what the peer writes arrives with `runtime.run()`. */
function handshakeScene() {
  const runtime = new SimulatedRuntime();
  const { dialed: peer, accepted: link } = memoryLinks({ runtime });
  const abort = new AbortController();
  const candidate = { address: "memory", transport: "memory" };
  const handshake = new LinkHandshake(link, candidate, false, abort);
  const ignore = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
  link.start({ ...ignore, onData: (chunk) => handshake.push(chunk) });
  const received: string[] = [];
  peer.start({ ...ignore, onData: (chunk) => received.push(hex(chunk)) });
  return { runtime, peer, link, handshake, abort, received };
}

/** `length` bytes that count up from `first`. */
function counting(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => first + i);
}

describe("a handshake's link", () => {
  it("gives exactly the bytes that are asked for, in order", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    peer.write([counting(10)]);
    runtime.run();
    expect(hex(await handshake.read(3))).toBe("000102");
    expect(hex(await handshake.read(0))).toBe("");
    expect(hex(await handshake.read(7))).toBe("03040506070809");
  });

  it("waits for bytes that have not come, over as many chunks as it takes", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    const read = handshake.read(5);
    for (let byte = 0; byte < 6; byte++) {
      peer.write([Uint8Array.of(byte)]);
      runtime.run();
    }
    expect(hex(await read)).toBe("0001020304");
    expect(hex(await handshake.read(1))).toBe("05");
  });

  it("shows bytes without taking them", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    const peek = handshake.peek(2);
    peer.write([counting(3)]);
    runtime.run();
    expect(hex(await peek)).toBe("0001");
    expect(hex(await handshake.peek(3))).toBe("000102");
    expect(hex(await handshake.read(3))).toBe("000102");
  });

  it("hands over what was not read", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    peer.write([counting(10)]);
    runtime.run();
    await handshake.read(4);
    expect(hex(handshake.release())).toBe("040506070809");
  });

  it("sends text as UTF-8 and bytes as they are, each in one write", () => {
    const { runtime, link, handshake, received } = handshakeScene();
    handshake.write("né");
    handshake.write(counting(2));
    runtime.run();
    expect(link.writes.map((chunks) => chunks.map(hex))).toEqual([["6ec3a9"], ["0001"]]);
    expect(received.join("")).toBe("6ec3a90001");
  });

  it("sends what was given, also when the caller changes it while the link is full", () => {
    for (const given of [counting(3), Buffer.from(counting(3))]) {
      const { runtime, link, handshake, received } = handshakeScene();
      link.hold();
      handshake.write(given);
      given.fill(0xff);
      link.unhold();
      runtime.run();
      expect(received).toEqual(["000102"]);
    }
  });

  for (const length of [-1, 1.5, Number.NaN, maxUnreadBytes + 1]) {
    it(`refuses to read or peek ${length} bytes`, async () => {
      const { handshake } = handshakeScene();
      const refusal = { code: "MSG_INVALID_ARGUMENT" };
      await expect(handshake.read(length)).rejects.toMatchObject(refusal);
      await expect(handshake.peek(length)).rejects.toMatchObject(refusal);
    });
  }

  it("has the read that the end of the peer fails say what that means", async () => {
    const { handshake } = handshakeScene();
    const read = handshake.read(1, explain);
    handshake.endInput(peerLost);
    await expect(read).rejects.toMatchObject({ message: "it dislikes us", cause: peerLost });
  });

  it("has a read say so too that begins when the peer has ended already", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    peer.write([counting(1)]);
    runtime.run();
    const first = handshake.read(1, (cause) => new MsgError("MSG_PROTOCOL", "first", { cause }));
    // With the last bytes, before anybody reads on.
    handshake.endInput(peerLost);
    await first;
    const next = handshake.read(1, (cause) => new MsgError("MSG_PROTOCOL", "next", { cause }));
    await expect(next).rejects.toMatchObject({ message: "next", cause: peerLost });
    await expect(handshake.read(1)).rejects.toBe(peerLost);
  });

  it("leaves any other failure as it is", async () => {
    const { handshake } = handshakeScene();
    const late = new MsgError("MSG_HANDSHAKE_TIMEOUT", "took too long");
    const read = handshake.read(1, () => new MsgError("MSG_PROTOCOL", "no"));
    handshake.fail(late);
    await expect(read).rejects.toBe(late);
  });

  it("explains what it was closed for once, not again", async () => {
    const { handshake } = handshakeScene();
    const read = handshake.read(1, explain);
    const explained = handshake.explained(peerLost);
    handshake.fail(explained);
    await expect(read).rejects.toBe(explained);
    expect(explained.cause).toBe(peerLost);
  });

  it("refuses a second read while one is under way", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    const first = handshake.read(1);
    await expect(handshake.read(1)).rejects.toMatchObject({ code: "MSG_INVALID_STATE" });
    peer.write([counting(1)]);
    runtime.run();
    expect(hex(await first)).toBe("00");
  });
});

describe("a handshake's link whose bytes nobody reads", () => {
  it("stops reading from the peer at 8 KiB, and goes on when some were read", async () => {
    const { runtime, peer, link, handshake } = handshakeScene();
    peer.write([counting(maxUnreadBytes - 1)]);
    runtime.run();
    expect(link.readingChanges).toEqual([]);
    peer.write([counting(1)]);
    runtime.run();
    expect(link.readingChanges).toEqual([false]);
    await handshake.read(1);
    expect(link.readingChanges).toEqual([false, true]);
  });

  it("can read 8 KiB at once, also when they come in small pieces", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    const read = handshake.read(maxUnreadBytes);
    for (let sent = 0; sent < maxUnreadBytes; sent += 100) {
      peer.write([counting(Math.min(100, maxUnreadBytes - sent))]);
      runtime.run();
    }
    expect((await read).length).toBe(maxUnreadBytes);
  });

  it("holds no more than one chunk over 8 KiB while a peer goes on sending", () => {
    const { runtime, peer, handshake } = handshakeScene();
    for (let count = 0; count < 100; count++) {
      peer.write([counting(1000)]);
      runtime.run();
    }
    expect(handshake.release().length).toBeLessThan(maxUnreadBytes + 1000);
  });

  it("reads on once it is handed over", () => {
    const { runtime, peer, link, handshake } = handshakeScene();
    peer.write([counting(maxUnreadBytes)]);
    runtime.run();
    handshake.release();
    expect(link.readingChanges).toEqual([false, true]);
  });
});

describe("a handshake's link that fails", () => {
  it("rejects the read that waits, with the reason", async () => {
    const { handshake } = handshakeScene();
    const read = handshake.read(1);
    handshake.fail(peerLost);
    await expect(read).rejects.toBe(peerLost);
  });

  it("rejects later reads, with the first reason", async () => {
    const { handshake } = handshakeScene();
    handshake.fail(peerLost);
    handshake.fail(new MsgError("MSG_CLOSED", "closed"));
    await expect(handshake.read(1)).rejects.toBe(peerLost);
    await expect(handshake.peek(1)).rejects.toBe(peerLost);
  });

  it("still gives what had come before", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    peer.write([counting(2)]);
    runtime.run();
    handshake.fail(peerLost);
    expect(hex(await handshake.read(2))).toBe("0001");
    await expect(handshake.read(1)).rejects.toBe(peerLost);
  });

  it("writes nothing any more", () => {
    const { link, handshake } = handshakeScene();
    handshake.fail(peerLost);
    handshake.write("late");
    expect(link.writes).toEqual([]);
  });
});

describe("a handshake's link that was handed over", () => {
  it("reads and writes nothing any more", async () => {
    const { link, handshake } = handshakeScene();
    handshake.release();
    handshake.write("late");
    expect(link.writes).toEqual([]);
    await expect(handshake.read(1)).rejects.toMatchObject({ code: "MSG_INVALID_STATE" });
  });

  it("rejects a read that a hook left behind", async () => {
    const { runtime, peer, handshake } = handshakeScene();
    const read = handshake.read(2);
    peer.write([counting(1)]);
    runtime.run();
    expect(hex(handshake.release())).toBe("00");
    await expect(read).rejects.toMatchObject({ code: "MSG_INVALID_STATE" });
  });
});

describe("a handshake's link whose peer ended its side", () => {
  it("still writes: the peer may be waiting for the answer", () => {
    const { link, handshake } = handshakeScene();
    handshake.endInput(peerLost);
    handshake.write("answer");
    expect(link.writes.length).toBe(1);
  });

  it("rejects reads of what never came", async () => {
    const { handshake } = handshakeScene();
    const read = handshake.read(1);
    handshake.endInput(peerLost);
    await expect(read).rejects.toBe(peerLost);
  });
});
