import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import type { ReqOptions } from "msg-ts";
import { RepSocket, ReqSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "../e2e/sockets.ts";
import { codesOf, serveAnswers } from "./bystanders.ts";
import type { RawClient } from "./raw-client.ts";
import { rawServer } from "./raw-client.ts";

const timeout = 120_000;

/** A REQ of a good REP and of one that answers each request as told. */
async function between(answer: (client: RawClient, id: number) => void, options: ReqOptions = {}) {
  const good = closing(new RepSocket(new Tcp()));
  serveAnswers(good);
  let asked = 0;
  const bad = await rawServer((client) => {
    let seen = 0;
    const look = (): void => {
      const frames = client.frames("REP");
      for (; seen < frames.length; seen++) {
        const frame = frames[seen];
        if (frame?.type !== "request") continue;
        asked++;
        answer(client, frame.id);
      }
      if (!client.isOver) setTimeout(look, 2).unref();
    };
    look();
  });
  const req = closing(
    new ReqSocket(new Tcp(), {
      timeoutMs: patienceMs,
      reconnect: { minDelayMs: 200, maxDelayMs: 200 },
      ...options,
    }),
  );
  const told = codesOf(req, "refused", "disconnected", "dropped", "error");
  await req.connect(await good.bind("127.0.0.1:0"));
  await req.connect(bad);
  await waitFor(() => req.peers.length === 2, { what: "both are there", withinMs: patienceMs });
  /** Asks both; the good one's answers must be right. Gives how the others ended. */
  const ask = async (count: number): Promise<string[]> => {
    const ends = Array.from({ length: count }, (_, index) =>
      req.request(`${index}`).then(
        (reply) => (reply.text() === `answer to ${index}` ? "right" : reply.text()),
        (error: unknown) => String((error as { code?: unknown }).code),
      ),
    );
    return Promise.all(ends);
  };
  const wasAsked = (): number => asked;
  return { req, told, ask, wasAsked };
}

describe("a REP that answers wrongly", { timeout }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  it("replies to nobody are counted and told, and change nothing", async () => {
    const { req, told, ask, wasAsked } = await between((client, id) => {
      for (const other of [0, id + 1_000, 0xffff_fffe, 0x8000_0000 + id]) {
        client.reply(other, "forged");
      }
      client.send({ type: "error reply", id: id + 2_000, code: "FORGED", message: "" });
      client.reply(id, `answer to ${id}`);
    });
    const ends = await ask(20);
    expect(ends.filter((end) => end.startsWith("forged"))).toEqual([]);
    await waitFor(() => told.length === 5 * wasAsked(), { what: "all told", withinMs: patienceMs });
    expect(new Set(told)).toEqual(new Set(["dropped unexpected-reply"]));
    expect(req.stats()).toMatchObject({ pending: 0, inFlight: 0, disconnects: 0 });
  });

  it("the same id twice: the first one counts, the second is nobody's", async () => {
    const { told, ask, wasAsked } = await between((client, id) => {
      client.reply(id, "first");
      client.reply(id, "second");
    });
    const ends = await ask(20);
    expect(ends.filter((end) => end === "second")).toEqual([]);
    expect(ends.filter((end) => end === "first")).toHaveLength(wasAsked());
    await waitFor(() => told.length === wasAsked(), { what: "all are told", withinMs: patienceMs });
  });

  it("what cannot be decompressed fails that request only", async () => {
    const { told, ask, wasAsked } = await between((client, id) => client.reply(id, "no gzip", 1));
    const ends = await ask(20);
    expect(ends.filter((end) => end === "MSG_DECOMPRESS_FAILED")).toHaveLength(wasAsked());
    expect(ends.filter((end) => end === "right")).toHaveLength(20 - wasAsked());
    expect(told).toEqual([]);
  });

  it("a bomb of gzip fails that request only, by its plain size", async () => {
    const { gzipSync } = await import("node:zlib");
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const { ask, wasAsked } = await between((client, id) => client.reply(id, bomb, 1), {
      maxMessageBytes: 10_000,
    });
    const ends = await ask(20);
    expect(ends.filter((end) => end === "MSG_PAYLOAD_TOO_LARGE")).toHaveLength(wasAsked());
    expect(ends.filter((end) => end === "right")).toHaveLength(20 - wasAsked());
  });

  const violations: [what: string, hex: string, code: string][] = [
    ["a frame of another kind", "03 00 0000", "MSG_PROTOCOL"],
    ["a reply over maxMessageBytes", "02 00 00000001 ffffffff", "MSG_PAYLOAD_TOO_LARGE"],
  ];
  for (const [what, hex, code] of violations) {
    it(`${what} loses its own requests with MSG_PEER_LOST, and no others`, async () => {
      const { told, ask, wasAsked } = await between((client) => void client.write(hex));
      const ends = await ask(20);
      expect(ends.filter((end) => end === "MSG_PEER_LOST").length).toBeGreaterThan(0);
      expect(ends.filter((end) => end === "right").length).toBeGreaterThan(0);
      expect(ends.filter((end) => end !== "right" && end !== "MSG_PEER_LOST")).toEqual([]);
      expect(wasAsked()).toBeGreaterThan(0);
      expect(told[0]).toBe(`disconnected ${code}`);
    });
  }

  it("an answer in writes of one byte is an answer", async () => {
    const { naiveEncode } = await import("@msg-ts/testing");
    const { ask } = await between(
      (client, id) => {
        const payload = new TextEncoder().encode("slowly");
        void client.dribble(naiveEncode({ type: "reply", id, compression: 0, payload }));
      },
      { maxInFlight: 1 },
    );
    const ends = await ask(2);
    expect(ends.toSorted()).toEqual(["right", "slowly"]);
  });

  it("one that says goodbye and stays is given nothing more; the good one answers all", async () => {
    const { ask, wasAsked } = await between((client, id) => {
      client.send({ type: "error reply", id, code: "MSG_DRAINING", message: "" });
    });
    const ends = await ask(50);
    expect(ends).toEqual(Array(50).fill("right"));
    const before = wasAsked();
    expect(await ask(50)).toEqual(Array(50).fill("right"));
    expect(wasAsked()).toBe(before);
  });
});
