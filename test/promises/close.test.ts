import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { transports } from "../e2e/matrix.ts";
import { closing, patienceMs } from "../e2e/sockets.ts";
import { RawClient } from "../hostile/raw-client.ts";

const withinMs = patienceMs;
const megabyte = 1_000_000;

describe("what was accepted before close()", { timeout: 120_000 }, () => {
  expectNoLeaks({ withinMs });

  for (const { name, network: newNetwork } of transports) {
    it(`arrives when a REP answers and closes at once (${name})`, async () => {
      const network = newNetwork();
      const rep = closing(new RepSocket(network.create()));
      const req = closing(new ReqSocket(network.create(), { timeoutMs: withinMs }));
      await req.connect(await rep.bind(network.address()));
      const asked = Array.from({ length: 10 }, (_, index) => req.request(`${index}`));
      const requests = await Promise.all(asked.map(() => rep.receive({ timeoutMs: withinMs })));
      for (const request of requests) {
        request.respond(Buffer.alloc(megabyte, Number(request.text())));
      }
      expect(await rep.close({ lingerMs: withinMs })).toEqual({ unsent: 0, unacknowledged: 0 });
      const replies = await Promise.all(asked);
      const isWhole = replies.map(({ payload }, index) =>
        Buffer.alloc(megabyte, index).equals(payload),
      );
      expect(isWhole).toEqual(Array(10).fill(true));
    });

    it(`arrives when a PUB publishes and closes at once (${name})`, async () => {
      const network = newNetwork();
      const pub = closing(new PubSocket(network.create()));
      const sub = closing(new SubSocket(network.create(), { maxQueued: 2 }));
      await sub.connect(await pub.bind(network.address()));
      await sub.subscribe("a", { timeoutMs: withinMs });
      for (let i = 0; i < 20; i++) void pub.publish("a", Buffer.alloc(megabyte / 4, i));
      const closed = pub.close({ lingerMs: withinMs });
      for (let i = 0; i < 20; i++) {
        const { payload, sequence } = await sub.receive({ timeoutMs: withinMs });
        expect([sequence, Buffer.alloc(megabyte / 4, i).equals(payload)]).toEqual([i, true]);
      }
      expect(await closed).toEqual({ unsent: 0, unacknowledged: 0 });
      expect(sub.stats().lost).toBe(0);
    });

    it(`is done when a PUSH sends and closes at once (${name})`, async () => {
      const network = newNetwork();
      const push = closing(new PushSocket(network.create()));
      const pull = closing(new PullSocket(network.create()));
      await pull.connect(await push.bind(network.address()));
      await push.ready({ timeoutMs: withinMs });
      const done: number[] = [];
      pull.consume((job) => void done.push(Number(job.text())));
      const sent = Array.from({ length: 5_000 }, (_, index) => push.send(`${index}`));
      expect(await push.close({ lingerMs: withinMs })).toEqual({ unsent: 0, unacknowledged: 0 });
      await Promise.all(sent.map((each) => Promise.resolve(each)));
      expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
    });
  }

  it("arrives also at a peer that goes on sending: no reset destroys it", async () => {
    for (let round = 0; round < 10; round++) {
      const rep = closing(new RepSocket(new Tcp()));
      rep.serve((request) => Buffer.alloc(10_000, request.payload[0]));
      const client = await RawClient.dial(await rep.bind("127.0.0.1:0"));
      let id = 0;
      // As fast as it is taken, until it sees the end.
      const flood = (): void => {
        for (let i = 0; i < 50; i++) client.request(++id, "x");
        if (client.isOver) client.end();
        else setImmediate(flood);
      };
      flood();
      await waitFor(() => rep.stats().messagesSent > 20 + round * 7, {
        what: "it answers",
        withinMs,
      });
      await rep.close({ lingerMs: withinMs });
      const replies = client.frames("REQ").filter(({ type }) => type === "reply");
      expect(replies.length).toBe(rep.stats().messagesSent);
    }
  });
});
