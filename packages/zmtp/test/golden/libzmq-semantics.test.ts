import { readFileSync } from "node:fs";
import { PullSocket, PushSocket } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { RouterSocket, zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { command, greeting, property, asHex, RawPeer, readyOf } from "../raw-peer.ts";
import { declare } from "./capture.ts";
import { closing, inproc, record, texts } from "../rig.ts";

const protocol = zmtp();
const protocolOfTen = zmtp({ sendHighWaterMark: 10 });

/** What libzmq was seen to do: the first line of each observation, without what only its numbers tell. */
const observed = readFileSync(new URL("libzmq-semantics.log", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith(" "));

/** What is replayed; each test is told its line. */
const observations = {
  begins: [] as string[],
  /** @param but - in what ours differs, and why; the same as libzmq where nothing is said. */
  replay(begin: string, run: (line: string) => Promise<void>, but = ""): void {
    this.begins.push(begin);
    const line = observed.find((each) => each.startsWith(begin)) ?? "";
    declare(begin, but, () => run(line));
  },
};

/** A ROUTER with a raw DEALER that said who it is, and a message. */
async function dealerAt(
  net: ReturnType<typeof inproc>,
  identity: string,
  text: string,
): Promise<RawPeer> {
  const raw = await RawPeer.dial(net, "here");
  await raw.shakeHands("DEALER", { identity });
  raw.hex(`00${(text.length + 256).toString(16).slice(1)}${asHex(text)}`);
  return raw;
}

describe("what libzmq was seen to do, ours does", () => {
  observations.replay(
    "PUSH connected to 1 live + 1 dead peer",
    async (line) => {
      expect(line).toContain("live got 50 of 100");
      const net = inproc();
      const push = closing(new PushSocket(net, { protocol }));
      const pull = closing(new PullSocket(net, { protocol }));
      await pull.bind("here");
      await push.connect("nowhere");
      await push.connect("here");
      await push.ready();
      for (let i = 0; i < 100; i++) await push.send(String(i));
      for (let i = 0; i < 100; i++) expect((await pull.receive()).text()).toBe(String(i));
    },
    "all go to who lives: a peer that is not there has no share",
  );

  observations.replay(
    "duplicate identity, no handover",
    async (line) => {
      expect(line).toContain("[ 'dup|from-a' ]");
      const net = inproc();
      const router = closing(new RouterSocket(net));
      const refused = record(router, "refused");
      await router.bind("here");
      const first = await dealerAt(net, "dup", "from-a");
      expect(texts((await router.receive()).parts)).toEqual(["dup", "from-a"]);
      const second = await RawPeer.dial(net, "here");
      second.hex(greeting() + readyOf("DEALER", "dup"));
      await second.over();
      await waitFor(() => refused.length > 0, { what: "it is told" });
      expect(first.isOver).toBe(false);
      first.link.destroy();
      await waitFor(() => router.peers.length === 0, { what: "the first one left" });
      await dealerAt(net, "dup", "from-c");
      expect(texts((await router.receive()).parts)).toEqual(["dup", "from-c"]);
    },
    "the second is told from the first and sent away, not kept and never heard",
  );

  observations.replay("handover:true", async (line) => {
    expect(line).toContain("[ 'dup|from-b' ]");
    const net = inproc();
    const router = closing(new RouterSocket(net, { handover: true }));
    await router.bind("here");
    const first = await RawPeer.dial(net, "here");
    await first.shakeHands("DEALER", { identity: "dup" });
    await dealerAt(net, "dup", "from-b");
    expect(texts((await router.receive()).parts)).toEqual(["dup", "from-b"]);
    await first.over();
  });

  observations.replay(
    "identity 000102",
    async () => {
      const net = inproc();
      const router = closing(new RouterSocket(net));
      const refused = record(router, "refused");
      await router.bind("here");
      const raw = await RawPeer.dial(net, "here");
      const type = property("Socket-Type", asHex("DEALER"));
      raw.hex(greeting() + command("READY", type + property("Identity", "000102")));
      await raw.over();
      await waitFor(() => refused.length > 0, { what: "it is told" });
      expect(refused[0]?.error.code).toBe("MSG_PROTOCOL");
    },
    "ours refuses a name that begins as those do that it makes up",
  );

  observations.replay("PULL order", async (line) => {
    const order = line.split(" ").slice(2);
    const net = inproc();
    const pull = closing(new PullSocket(net, { protocol }));
    await pull.bind("here");
    for (const name of ["a", "b", "c"]) {
      const raw = await RawPeer.dial(net, "here");
      await raw.shakeHands("PUSH");
      for (const text of order.filter((each) => each.startsWith(name))) {
        raw.hex(`0002${asHex(text)}`);
      }
    }
    await waitFor(() => pull.stats().queued === order.length, { what: "all have come" });
    const got: string[] = [];
    while (got.length < order.length) got.push((await pull.receive()).text());
    expect(got).toEqual(order);
  });

  observations.replay("partial multipart dropped", async () => {
    const net = inproc();
    const pull = closing(new PullSocket(net, { protocol }));
    await pull.bind("here");
    const raw = await RawPeer.dial(net, "here");
    await raw.shakeHands("PUSH");
    raw.hex(`0101${asHex("a")}`);
    raw.link.end();
    await waitFor(() => pull.peers.length === 0, { what: "the peer left" });
    const next = await RawPeer.dial(net, "here");
    await next.shakeHands("PUSH");
    next.hex(`0001${asHex("b")}`);
    const job = await pull.receive();
    expect(texts(job.parts)).toEqual(["b"]);
    expect(pull.stats().messagesReceived).toBe(1);
  });

  observations.replay(
    "bind-side PUSH",
    async (line) => {
      expect(line).toContain("next PULL got 0");
      const net = inproc();
      const push = closing(new PushSocket(net, { protocol: protocolOfTen }));
      await push.bind("here");
      const stalled = await RawPeer.dial(net, "here");
      await stalled.shakeHands("PULL");
      await push.ready();
      stalled.link.setReading(false);
      let accepted = 0;
      const job = new Uint8Array(100_000);
      while (push.trySend(job)) {
        accepted++;
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
      }
      stalled.link.destroy();
      const pull = closing(new PullSocket(net, { protocol }));
      await pull.connect("here");
      await pull.receive();
      expect(accepted).toBeGreaterThanOrEqual(10);
    },
    "what never left goes to the next one",
  );

  it("leaves no line of libzmq-semantics.log out", () => {
    expect(observed.map((line, i) => line.startsWith(observations.begins[i] ?? "?"))).toEqual(
      observations.begins.map(() => true),
    );
  });
});
