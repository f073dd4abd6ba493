import { cbor } from "@msg-ts/codecs/cbor";
import { json } from "@msg-ts/codecs/json";
import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import type { Codec, SocketEvents } from "msg-ts";
import {
  MsgError,
  PubSocket,
  PullSocket,
  PushSocket,
  RepSocket,
  ReqSocket,
  SubSocket,
  Tcp,
} from "msg-ts";
import { zstd } from "@msg-ts/compression/zstd";
import { describe, expect, it } from "vitest";
import { closing, patienceMs } from "./sockets.ts";

interface Order {
  id: number;
  lines: { article: string; count: number }[];
}

/** Large enough to be compressed, on a thread too. */
function orderOf(id: number, lineCount = 1 + ((id * 37) % 900)): Order {
  const lines = Array.from({ length: lineCount }, (_, line) => {
    return { article: `article ${(id * 7919 + line) % 1_000}`, count: 1 + (line % 9) };
  });
  return { id, lines };
}

const codecs: readonly (readonly [name: string, codec: Codec<Order>])[] = [
  ["cbor", cbor()],
  ["json", json()],
];

describe("typed values over TCP, compressed", { timeout: 120_000 }, () => {
  expectNoLeaks({ withinMs: patienceMs });

  for (const [name, codec] of codecs) {
    const options = { codec, compressor: zstd() };

    it(`${name}: 500 requests at a time come back as they went`, async () => {
      const rep = closing(new RepSocket<Order, Order>(new Tcp(), options));
      rep.serve(({ value }) => ({ id: value.id + 1, lines: value.lines }));
      const req = closing(new ReqSocket<Order, Order>(new Tcp(), options));
      await req.connect(await rep.bind("127.0.0.1:0"));
      const ids = Array.from({ length: 500 }, (_, id) => id);
      const replies = await Promise.all(
        ids.map((id) => req.request(orderOf(id), { timeoutMs: patienceMs })),
      );
      for (const id of ids) {
        expect(replies[id]?.value).toEqual({ id: id + 1, lines: orderOf(id).lines });
      }
    });

    it(`${name}: what is published comes in order, whatever is no value in between`, async () => {
      const pub = closing(new PubSocket<Order>(new Tcp(), options));
      const sub = closing(new SubSocket<Order>(new Tcp(), { codec }));
      const drops: SocketEvents["dropped"][] = [];
      sub.on("dropped", (drop) => drops.push(drop));
      const ids: number[] = [];
      sub.consume(({ value }) => void ids.push(value.id));
      const stranger = closing(new PubSocket(new Tcp()));
      await sub.connect(await pub.bind("127.0.0.1:0"));
      await sub.connect(await stranger.bind("127.0.0.1:0"));
      await sub.ready({ peers: 2, timeoutMs: patienceMs });
      await sub.subscribe("orders");
      for (let id = 0; id < 500; id++) {
        await pub.publish("orders", orderOf(id));
        await stranger.publish("orders", new Uint8Array(1 + (id % 50)).fill(0xff));
      }
      await waitFor(() => ids.length === 500 && drops.length === 500, {
        what: "500 values and 500 drops",
        withinMs: patienceMs,
      });
      expect(ids).toEqual(Array.from({ length: 500 }, (_, id) => id));
      expect(drops.every(({ error }) => MsgError.is(error, "MSG_DECODE_FAILED"))).toBe(true);
      expect(sub.stats()).toMatchObject({ lost: 0, dropped: { unreadable: 500 } });
    });

    it(`${name}: every job is done once, by two workers`, async () => {
      const push = closing(new PushSocket<Order>(new Tcp(), options));
      const address = await push.bind("127.0.0.1:0");
      const done: Order[] = [];
      for (let worker = 0; worker < 2; worker++) {
        const pull = closing(new PullSocket<Order>(new Tcp(), { codec }));
        pull.consume(({ value }) => void done.push(value));
        await pull.connect(address);
      }
      for (let id = 0; id < 500; id++) await push.send(orderOf(id));
      await push.settled({ timeoutMs: patienceMs });
      const sorted = done.toSorted((a, b) => a.id - b.id);
      expect(sorted).toEqual(Array.from({ length: 500 }, (_, id) => orderOf(id)));
    });
  }
});
