import type { Link, LinkHandlers, Listener, MsgError } from "@msg-ts/core";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";

const { signal } = new AbortController();

const ignored: LinkHandlers = {
  onData: () => undefined,
  onDrain: () => undefined,
  onEnd: () => undefined,
  onClose: () => undefined,
};

async function pair(): Promise<{ dialed: Link; accepted: Link; listener: Listener }> {
  const transport = new Inproc(new InprocHub());
  const links: Link[] = [];
  const listener = await transport.listen("name", {
    onLink: (link) => links.push(link),
    onError: (error) => expect.fail(error.message),
    onRefused: (_, error) => expect.fail(error.message),
  });
  const dialed = await transport.dial("name", signal);
  const [accepted] = links;
  if (accepted === undefined) throw new Error("no link arrived");
  return { dialed, accepted, listener };
}

describe("Inproc", () => {
  expectNoLeaks();

  it("meets only those of its own hub", async () => {
    const [one, other] = [new InprocHub(), new InprocHub()];
    const none = {
      onLink: (link: Link) => link.destroy(),
      onError: () => undefined,
      onRefused: () => undefined,
    };
    const listener = await new Inproc(one).listen("name", none);
    await new Inproc(other).listen("name", none);
    await expect(new Inproc(one).dial("other", signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
      message: "no connection to inproc:other: nobody listens there",
    });
    const link = await new Inproc(one).dial("name", signal);
    link.destroy();
    await listener.close();
    await expect(new Inproc(one).dial("name", signal)).rejects.toMatchObject({
      code: "MSG_DIAL_FAILED",
    });
    (await new Inproc(other).dial("name", signal)).destroy();
  });

  it("numbers those who dial", async () => {
    const { dialed, accepted } = await pair();
    expect(dialed.remoteAddress).toBe("name");
    expect(accepted.remoteAddress).toBe("inproc:name#1");
  });

  it("refuses to be made without a hub", () => {
    expect(() => new Inproc({} as InprocHub)).toThrow(
      expect.objectContaining({
        code: "MSG_INVALID_OPTION",
        message: "hub is object, must be an InprocHub",
      }),
    );
  });

  it("copies the writer's bytes, in chunks of at most 64 KiB", async () => {
    const { dialed, accepted } = await pair();
    const chunks: Uint8Array[] = [];
    accepted.start({ ...ignored, onData: (chunk) => chunks.push(chunk) });
    dialed.start(ignored);
    const bytes = new Uint8Array(150_000).fill(1);
    dialed.write([bytes]);
    await waitFor(() => dialed.bufferedBytes === 0, { what: "all is taken" });
    expect(chunks.map(({ length }) => length)).toEqual([65_536, 65_536, 18_928]);
    bytes.fill(2);
    expect(chunks.every((chunk) => chunk.every((byte) => byte === 1))).toBe(true);
  });

  it("tells the peer of a destroyed link at once, also one that has stopped reading", async () => {
    const { dialed, accepted } = await pair();
    const reasons: (MsgError | undefined)[] = [];
    accepted.start({ ...ignored, onClose: (reason) => reasons.push(reason) });
    accepted.setReading(false);
    dialed.start(ignored);
    dialed.write([new Uint8Array(10)]);
    dialed.destroy();
    await waitFor(() => reasons.length === 1, { what: "the peer knows" });
    expect(reasons[0]).toMatchObject({
      code: "MSG_PEER_LOST",
      message: "link to inproc:name#1 broke: its peer destroyed it",
    });
  });

  it("does nothing while nothing is under way", async () => {
    const { dialed, accepted } = await pair();
    let hasArrived = false;
    accepted.start({ ...ignored, onData: () => (hasArrived = true) });
    dialed.start(ignored);
    dialed.write([new Uint8Array(1)]);
    await waitFor(() => hasArrived, { what: "the byte has arrived" });
    const turns = process.getActiveResourcesInfo().filter((kind) => kind === "Immediate");
    expect(turns).toEqual([]);
  });

  it("does not call bytes taken that a destroyed link dropped", async () => {
    const { dialed, accepted } = await pair();
    const told: string[] = [];
    accepted.start({ ...ignored, onData: () => accepted.destroy() });
    dialed.start({
      ...ignored,
      onDrain: () => told.push("drain"),
      onClose: () => told.push("close"),
    });
    dialed.write([new Uint8Array(100_000)]);
    await waitFor(() => told.length > 0, { what: "the writer was told" });
    expect(told).toEqual(["close"]);
  });

  it("leaves room for timers while two links chat without a pause", async () => {
    const { dialed, accepted } = await pair();
    const ball = new Uint8Array(1);
    let isOver = false;
    let hits = 0;
    const play = (link: Link): void =>
      link.start({
        ...ignored,
        onData: () => {
          hits += 1;
          if (!isOver) link.write([ball]);
        },
      });
    play(dialed);
    play(accepted);
    dialed.write([ball]);
    // Looks by a timer itself: it would look no more if the chat left timers no room.
    await waitFor(() => hits > 100, { what: "a chat of 100 turns, and timers beside it" });
    const hitsBefore = hits;
    await waitFor(() => hits > hitsBefore, { what: "the chat goes on" });
    isOver = true;
    expect(hits).toBeGreaterThan(hitsBefore);
  });

  it("serves all links while one is flooded", async () => {
    const hub = new InprocHub();
    const transport = new Inproc(hub);
    const received: number[] = [];
    await transport.listen("name", {
      onLink: (link) => {
        const index = received.push(0) - 1;
        link.start({ ...ignored, onData: (chunk) => (received[index]! += chunk.length) });
      },
      onError: () => undefined,
      onRefused: () => undefined,
    });
    const flooder = await transport.dial("name", signal);
    const other = await transport.dial("name", signal);
    flooder.start(ignored);
    other.start(ignored);
    flooder.write([new Uint8Array(64 * 1024 * 1024)]);
    other.write([new Uint8Array(1)]);
    await waitFor(() => received[1] === 1, { what: "the other link was served" });
    expect(flooder.bufferedBytes).toBeGreaterThan(0);
    flooder.destroy();
    other.destroy();
  });
});
