import { msg, PullSocket, PushSocket } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import { zmtp } from "@msg-ts/zmtp";
import { describe, expect, it } from "vitest";
import { greeting, RawPeer, readyOf } from "./raw-peer.ts";
import { closing, inproc } from "./rig.ts";

const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Raw PULLs, let in one after the other. */
async function pulls(net: ReturnType<typeof inproc>, count: number): Promise<RawPeer[]> {
  const found: RawPeer[] = [];
  for (let i = 0; i < count; i++) {
    const raw = await RawPeer.dial(net, "here");
    await raw.shakeHands("PULL");
    found.push(raw);
  }
  return found;
}

/** The letters that somebody was sent. */
async function letters(raw: RawPeer, count: number): Promise<string> {
  let text = "";
  for (let i = 0; i < count; i++) text += await raw.takeText();
  expect(raw.received).toHaveLength(0);
  return text;
}

describe("a PUSH over ZMTP", () => {
  it("lets its PULLs take turns, a job each", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocol: zmtp() }));
    await push.bind("here");
    const [one, two, three] = (await pulls(net, 3)) as [RawPeer, RawPeer, RawPeer];
    await push.ready({ peers: 3 });
    for (const job of "abcdefghi") await push.send(job);
    expect([await letters(one, 3), await letters(two, 3), await letters(three, 3)]).toEqual([
      "adg",
      "beh",
      "cfi",
    ]);
  });

  it("goes on in turn when one leaves and another one comes", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocol: zmtp() }));
    await push.bind("here");
    const [one, two] = (await pulls(net, 2)) as [RawPeer, RawPeer];
    await push.ready({ peers: 2 });
    for (const job of "abc") await push.send(job);
    expect([await letters(one, 2), await letters(two, 1)]).toEqual(["ac", "b"]);
    one.link.destroy();
    await waitFor(() => push.peers.length === 1, { what: "it left" });
    const [three] = (await pulls(net, 1)) as [RawPeer];
    await push.ready({ peers: 2 });
    for (const job of "defg") await push.send(job);
    const [ofTwo, ofThree] = [await letters(two, 2), await letters(three, 2)];
    expect((ofTwo + ofThree).split("").toSorted().join("")).toBe("defg");
    // Neither had two in a row.
    expect(["df", "eg"]).toContain(ofTwo);
  });

  it("passes over one that has no room, and comes back to it when it has", async () => {
    const net = inproc();
    const protocol = zmtp({ sendHighWaterMark: 4 });
    const push = closing(new PushSocket(net, { protocol, sendHighWaterBytes: 1 }));
    await push.bind("here");
    const [slow, quick] = (await pulls(net, 2)) as [RawPeer, RawPeer];
    await push.ready({ peers: 2 });
    slow.link.setReading(false);
    const job = new Uint8Array(100_000);
    const count = 60;
    // The slow one has what the link and its own mark take; all the rest goes to the quick one.
    for (let sent = 0; sent < count; sent++) {
      await push.send(job, { timeoutMs: 5_000 });
      await nextTurn();
    }
    await waitFor(() => quick.receivedBytes > (count / 2 + 5) * job.length, {
      what: "the quick one has more than its turns",
    });
    slow.link.setReading(true);
    await waitFor(() => push.stats().unacknowledged === 0, { what: "the slow one reads" });
    const frameBytes = 9 + job.length;
    const all = (): number => slow.receivedBytes + quick.receivedBytes;
    const handshakes = greeting().length + readyOf("PUSH").length; // of two, in hex
    const before = handshakes + count * frameBytes;
    await waitFor(() => all() === before, { what: "all came" });
    const quickHad = quick.receivedBytes;
    for (let i = 0; i < 10; i++) {
      await push.send(job);
      await waitFor(() => push.stats().unacknowledged === 0, { what: "it is taken" });
    }
    await waitFor(() => all() === before + 10 * frameBytes, { what: "they have come" });
    expect(quick.receivedBytes - quickHad).toBe(5 * frameBytes);
  });

  it("lets native PULLs take turns with those of ZeroMQ", async () => {
    const net = inproc();
    const push = closing(new PushSocket(net, { protocols: [msg(), zmtp()] }));
    await push.bind("here");
    const native = closing(new PullSocket(net));
    let jobs = 0;
    native.consume(() => void jobs++);
    await native.connect("here");
    const [raw] = (await pulls(net, 1)) as [RawPeer];
    await push.ready({ peers: 2 });
    // The native one tells its window a moment after it is connected.
    for (let i = 0; i < 100; i++) {
      await push.send("x");
      if (native.stats().acknowledged > 0) break;
      await nextTurn();
    }
    await push.settled({ timeoutMs: 5_000 });
    await waitFor(() => jobs > 0, { what: "the native one has its turns" });
    const before = { jobs, bytes: raw.received.length };
    for (let i = 0; i < 20; i++) await push.send("x");
    await push.settled({ timeoutMs: 5_000 });
    await waitFor(() => raw.received.length >= before.bytes + 30, { what: "ZeroMQ's has its own" });
    expect([jobs - before.jobs, raw.received.length - before.bytes]).toEqual([10, 30]);
  });
});
