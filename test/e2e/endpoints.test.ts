import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import { describe, expect, it } from "vitest";
import { isSame, transports } from "./matrix.ts";
import { patterns } from "./patterns.ts";
import { closing, patienceMs } from "./sockets.ts";

const timeout = 4 * patienceMs;
const timeoutMs = patienceMs;

for (const { name, network: newNetwork } of transports) {
  describe(`several endpoints over ${name}`, { timeout }, () => {
    expectNoLeaks({ withinMs: patienceMs });

    it("one REQ asks every REP it connected to, and every REP that connected to it", async () => {
      const network = newNetwork();
      const req = closing(new ReqSocket(network.create(), { timeoutMs }));
      const reps = Array.from({ length: 4 }, () => closing(new RepSocket(network.create())));
      reps.forEach((rep, index) => rep.serve(() => `${index}`));
      for (const rep of reps.slice(0, 2)) await req.connect(await rep.bind(network.address()));
      const address = await req.bind(network.address());
      for (const rep of reps.slice(2)) await rep.connect(address);
      await waitFor(() => req.peers.length === 4, { what: "all have met", withinMs: patienceMs });
      const asked = await Promise.all(Array.from({ length: 40 }, () => req.request("who")));
      expect(new Set(asked.map((reply) => reply.text()))).toEqual(new Set(["0", "1", "2", "3"]));
    });

    it("one REP answers through several addresses, each client its own", async () => {
      const network = newNetwork();
      const rep = closing(new RepSocket(network.create()));
      rep.serve((request) => request.payload);
      const addresses = [await rep.bind(network.address()), await rep.bind(network.address())];
      expect(rep.addresses).toEqual(addresses);
      const reqs = Array.from({ length: 6 }, () =>
        closing(new ReqSocket(network.create(), { timeoutMs })),
      );
      for (const [index, req] of reqs.entries()) await req.connect(addresses[index % 2] ?? "");
      const replies = await Promise.all(reqs.map((req, index) => req.request(`${index}`)));
      expect(replies.map((reply) => reply.text())).toEqual(reqs.map((_, index) => `${index}`));
    });

    it("one SUB hears several PUBs, each in its order", async () => {
      const network = newNetwork();
      const sub = closing(new SubSocket(network.create()));
      const pubs = Array.from({ length: 3 }, () => closing(new PubSocket(network.create())));
      for (const pub of pubs.slice(0, 2)) await sub.connect(await pub.bind(network.address()));
      await pubs[2]?.connect(await sub.bind(network.address()));
      await waitFor(() => sub.peers.length === 3, { what: "all have met", withinMs: patienceMs });
      await sub.subscribe(">", { timeoutMs });
      const heard: string[][] = [[], [], []];
      sub.consume((message) => void heard[Number(message.topic)]?.push(message.text()));
      for (let i = 0; i < 200; i++) {
        for (const [index, pub] of pubs.entries()) await pub.publish(`${index}`, `${i}`);
      }
      const isDone = (): boolean => heard.every(({ length }) => length === 200);
      await waitFor(isDone, { what: "everything is heard", withinMs: patienceMs });
      const inOrder = Array.from({ length: 200 }, (_, index) => `${index}`);
      expect(heard).toEqual([inOrder, inOrder, inOrder]);
    });

    it("one PUSH feeds several PULLs on several addresses, each job done once", async () => {
      const network = newNetwork();
      const push = closing(new PushSocket(network.create()));
      const pulls = Array.from({ length: 4 }, () => closing(new PullSocket(network.create())));
      const done: string[][] = [[], [], [], []];
      pulls.forEach((pull, index) => pull.consume((job) => void done[index]?.push(job.text())));
      const addresses = [await push.bind(network.address()), await push.bind(network.address())];
      for (const [index, pull] of pulls.slice(0, 3).entries()) {
        await pull.connect(addresses[index % 2] ?? "");
      }
      await push.connect((await pulls[3]?.bind(network.address())) ?? "");
      await waitFor(() => push.peers.length === 4, { what: "all have met", withinMs: patienceMs });
      for (let i = 0; i < 2_000; i++) await push.send(`${i}`);
      await waitFor(() => push.stats().acknowledged === 2_000, {
        what: "all jobs are done",
        withinMs: patienceMs,
      });
      const all = done.flat().map(Number);
      expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2_000 }, (_, i) => i));
    });

    for (const pattern of patterns) {
      it(`${pattern.name}: an address can be bound again at once after close, ten times`, async () => {
        const network = newNetwork();
        const ends = () => ({ transport: network.create(), compressor: undefined });
        let address = network.address();
        for (let round = 0; round < 10; round++) {
          const pair = pattern.create(ends(), ends());
          address = await pair.receiver.bind(address);
          await pair.sender.connect(address);
          expect(isSame("hello", await pair.roundTrip("hello"))).toBe(true);
          // The side that closes first keeps the kernel's memory of a TCP connection.
          const [first, second] =
            round % 2 === 0 ? [pair.receiver, pair.sender] : [pair.sender, pair.receiver];
          await first.close();
          await second.close();
        }
      });
    }
  });
}
