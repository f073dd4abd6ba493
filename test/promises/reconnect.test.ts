import { waitFor } from "@msg-ts/testing";
import { SubSocket, Tcp } from "msg-ts";
import { describe, expect, it } from "vitest";
import { closing } from "../e2e/sockets.ts";
import { Child } from "./child.ts";

const topics = 2_000;
const rounds = 20;

describe("a publisher that dies", () => {
  it(
    "a SUB reconnects and resubscribes 2,000 topics after its PUB is killed and restarted 20 times",
    { timeout: 120_000 },
    async () => {
      const sub = closing(
        new SubSocket(new Tcp(), { reconnect: { minDelayMs: 20, maxDelayMs: 50 } }),
      );
      let heard = new Map<string, string>();
      sub.consume((message) => void heard.set(message.topic, message.text()));
      for (let i = 0; i < topics; i++) void sub.subscribe(`topic.${i}`);
      let address = "127.0.0.1:0";
      // The next one starts while this one works: most of the time is the start of processes.
      let next = new Child("publisher");
      for (let round = 0; round <= rounds; round++) {
        const publisher = next;
        await publisher.hear("that it is ready");
        if (round < rounds) next = new Child("publisher");
        heard = new Map();
        publisher.say({ address, topics, round });
        ({ address } = await publisher.hear<{ address: string }>("where it listens"));
        if (round === 0) await sub.connect(address);
        await waitFor(() => heard.size === topics, {
          what: `all topics are heard in round ${round}`,
          withinMs: 30_000,
        });
        expect(new Set(heard.values())).toEqual(new Set([`${round}`]));
        await publisher.kill();
        await waitFor(() => sub.peers.length === 0, { what: "the SUB has noticed" });
      }
      // A dying process may still accept: such a connection ends at once and is one more gap.
      const { connects, lost, uncountedGaps } = sub.stats();
      expect([lost, uncountedGaps]).toEqual([0, connects - 1]);
      expect(connects).toBeGreaterThan(rounds);
    },
  );
});
