import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { MsgError } from "@msg-ts/core";
import { describe, expect, it } from "vitest";
import { listenNet } from "../src/net/listen-net.ts";
import { NetLink } from "../src/net/net-link.ts";

/** A socket that takes what is written when the test says so. */
class SlowSocket extends Duplex {
  readonly taking: ((error?: Error) => void)[] = [];

  override _read(): void {
    // Nothing ever comes.
  }

  override _write(_chunk: unknown, _encoding: unknown, done: (error?: Error) => void): void {
    this.taking.push(done);
  }
}

/** A link over one, and what it told. */
function slowLink(): { socket: SlowSocket; link: NetLink; told: unknown[] } {
  const socket = new SlowSocket({ allowHalfOpen: true });
  const link = new NetLink(socket as unknown as Socket, "there");
  const told: unknown[] = [];
  link.start({
    onData: () => told.push("data"),
    onDrain: () => told.push("drain"),
    onEnd: () => told.push("end"),
    onClose: (reason) => told.push(reason ?? "close"),
  });
  return { socket, link, told };
}

/** Long enough for callbacks that a stream puts off. */
async function nextTurn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const bytes = new Uint8Array(10);

describe("NetLink", () => {
  it("tells of a drain only when what was written meanwhile is taken too", async () => {
    const { socket, link, told } = slowLink();
    expect(link.write([bytes])).toBe(false);
    socket.taking.shift()?.();
    await nextTurn();
    // The first is taken; the empty write behind it is under way when more comes.
    expect(link.write([bytes])).toBe(false);
    socket.taking.shift()?.();
    await nextTurn();
    expect(told).toEqual([]);
    while (socket.taking.length > 0) {
      socket.taking.shift()?.();
      await nextTurn();
    }
    expect(told).toEqual(["drain"]);
    link.destroy();
  });

  it("tells of a drain also when it was ended meanwhile", async () => {
    const { socket, link, told } = slowLink();
    link.write([bytes]);
    socket.taking.shift()?.();
    await nextTurn();
    link.write([bytes]);
    link.end();
    while (socket.taking.length > 0) {
      socket.taking.shift()?.();
      await nextTurn();
    }
    expect(told).toEqual(["drain"]);
    link.destroy();
  });

  it("closes without a reason when it is destroyed as it breaks", async () => {
    const { socket, link, told } = slowLink();
    socket.destroy(new Error("broken"));
    link.destroy();
    await nextTurn();
    expect(told).toEqual(["close"]);
  });

  it("makes one MSG_PEER_LOST of a failure, with the host's error as its cause", async () => {
    const { socket, link, told } = slowLink();
    link.write([bytes]);
    const cause = Object.assign(new Error("write"), { code: "EPIPE" });
    socket.taking.shift()?.(cause);
    await nextTurn();
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({
      code: "MSG_PEER_LOST",
      message: "link to there broke: EPIPE",
      cause,
    });
  });
});

describe("listenNet", () => {
  it("tells of a failure to accept, and lives on", async () => {
    const errors: MsgError[] = [];
    const server = await listenNet({
      target: "somewhere",
      where: { port: 0, host: "127.0.0.1" },
      onSocket: (socket) => socket.destroy(),
      onError: (error) => errors.push(error),
    });
    const cause = Object.assign(new Error("accept"), { code: "EMFILE" });
    server.emit("error", cause);
    server.emit("error", cause);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toMatchObject({
      code: "MSG_LISTEN_FAILED",
      message: "cannot accept on somewhere: EMFILE",
      cause,
    });
    expect(server.listening).toBe(true);
    server.close();
  });
});
