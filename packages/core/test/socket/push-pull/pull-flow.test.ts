import { waitFor } from "@msg-ts/testing";
import { Inproc, InprocHub } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import type { Decompressor } from "../../../src/contracts/compressor.ts";
import { PubSocket } from "../../../src/socket/pub-sub/pub.ts";
import { PullSocket } from "../../../src/socket/push-pull/pull.ts";
import { flowHex, jobHex, rawPush, Rig, turns } from "./push-pull-rig.ts";

/**
 * Id 5: text in brackets is what was in them; anything else is damaged.
 *
 * @param until - given, it is undone only then.
 */
function brackets(until?: () => Promise<void>): Decompressor {
  return {
    id: 5,
    name: "brackets",
    decompress: (payload) =>
      until === undefined ? unbracketed(payload) : until().then(() => unbracketed(payload)),
  };
}

function unbracketed(payload: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(payload);
  if (!/^\[.*\]$/.test(text)) throw new Error("no brackets");
  return payload.subarray(1, -1);
}

/** A job under compression id 5. */
function bracketHex(sequence: number, payload: string): string {
  return jobHex(sequence, payload).replace(/^04 00/, "04 05");
}

describe("PULL refuses", () => {
  it("a peer that is no PUSH", async () => {
    const hub = new InprocHub();
    const pull = new PullSocket(new Inproc(hub));
    await pull.bind("jobs");
    const refused = pull.once("refused");
    const pub = new PubSocket(new Inproc(hub));
    await pub.connect("jobs");
    expect((await refused).error.code).toBe("MSG_WRONG_SOCKET_TYPE");
    await Promise.all([pub.close({ lingerMs: 0 }), pull.close({ lingerMs: 0 })]);
  });

  it("to receive after close", async () => {
    const rig = await Rig.start();
    const pull = await rig.pull();
    await pull.close();
    const closed = expect.objectContaining({ code: "MSG_CLOSED" }) as Error;
    expect(() => pull.receive()).toThrow(closed);
    expect(() => pull.consume(() => {})).toThrow(closed);
  });

  it("a second callback", async () => {
    const { pull } = await rawPush();
    pull.consume(() => {});
    expect(() => pull.consume(() => {})).toThrow(
      expect.objectContaining({ code: "MSG_INVALID_STATE" }) as Error,
    );
  });

  it.each([
    ["the second job before the first", jobHex(1, "x")],
    ["the same job twice", jobHex(0, "x") + jobHex(0, "x")],
    ["a job after a gap", jobHex(0, "x") + jobHex(2, "x")],
    ["one job over the window", jobHex(0, "x") + jobHex(1, "x") + jobHex(2, "x")],
    ["a frame of another kind", "02 00 00000000 00000000"],
    ["a compressed job out of order, read a while later", bracketHex(7, "[x]")],
  ])("%s: MSG_PROTOCOL closes that connection only", async (_what, frames) => {
    const { pull, peer } = await rawPush({ window: 2, decompressors: [brackets(() => turns(1))] });
    const disconnected = pull.once("disconnected");
    peer.write(frames);
    await peer.closed();
    peer.destroy();
    expect((await disconnected).reason?.code).toBe("MSG_PROTOCOL");
    expect(pull.isClosed).toBe(false);
  });

  it("no job that was sent under its window when it closes", async () => {
    const { pull, peer } = await rawPush({ window: 3 });
    await peer.expect(flowHex("window", 0, 3));
    peer.write(jobHex(0, "0"));
    const job = await pull.receive();
    const closing = pull.close();
    await peer.expect(flowHex("window", 0, 0) + flowHex("bye"));
    peer.write(jobHex(1, "1") + jobHex(2, "2"));
    await peer.expect(flowHex("nack", 1, 2));
    expect(job.ack()).toBe(true);
    await peer.expect(flowHex("ack", 0, 1));
    peer.end();
    await closing;
  });
});

describe("PULL", () => {
  it("sends its window first", async () => {
    const { peer } = await rawPush({ window: 7 });
    //               kind op seq      count
    expect(await peer.expect("04  00 00000000 00000007")).toBe(true);
  });

  it("gives payload, peer and the number of deliveries", async () => {
    const { pull, peer } = await rawPush();
    peer.write(jobHex(0, "one") + jobHex(1, "two", 3) + jobHex(2, "", 15));
    const jobs = [await pull.receive(), await pull.receive(), await pull.receive()];
    expect(jobs.map((job) => [job.text(), job.deliveryCount])).toEqual([
      ["one", 1],
      ["two", 4],
      ["", 16],
    ]);
    expect(jobs[0]?.peer.transport).toBe("inproc");
  });

  it("acknowledges the jobs of one tick as one range", async () => {
    const { pull, peer } = await rawPush({ window: 5 });
    await peer.expect(flowHex("window", 0, 5));
    peer.write([0, 1, 2, 3].map((i) => jobHex(i, String(i))).join(""));
    const jobs = [];
    for (let i = 0; i < 4; i++) jobs.push(await pull.receive());
    for (const index of [2, 0, 3, 1]) expect(jobs[index]?.ack()).toBe(true);
    //               kind op seq      count
    await peer.expect("04  01 00000000 00000004");
  });

  it("keeps acknowledged and refused jobs apart", async () => {
    const { pull, peer } = await rawPush({ window: 5 });
    await peer.expect(flowHex("window", 0, 5));
    peer.write([0, 1, 2, 3].map((i) => jobHex(i, String(i))).join(""));
    for (let i = 0; i < 4; i++) {
      const job = await pull.receive();
      if (i === 1 || i === 2) job.nack();
      else job.ack();
    }
    await peer.expect(flowHex("ack", 0, 1) + flowHex("ack", 3, 1) + flowHex("nack", 1, 2));
    expect(pull.stats()).toMatchObject({ acknowledged: 2, refusedJobs: 2, unsettled: 0 });
  });

  it("settles a job once", async () => {
    const { pull, peer } = await rawPush({ window: 5 });
    await peer.expect(flowHex("window", 0, 5));
    peer.write(jobHex(0, "0"));
    const job = await pull.receive();
    expect([job.ack(), job.ack(), job.nack()]).toEqual([true, false, false]);
    await peer.expect(flowHex("ack", 0, 1));
  });

  it("does not acknowledge what receive() gave", async () => {
    const { pull, peer } = await rawPush({ window: 5 });
    await peer.expect(flowHex("window", 0, 5));
    peer.write(jobHex(0, "0"));
    await pull.receive();
    await turns();
    expect(peer.hex).toBe("");
    expect(pull.stats()).toMatchObject({ queued: 0, unsettled: 1 });
  });

  it("still gives the jobs of a PUSH that is gone, whose ack() then says false", async () => {
    const { pull, peer } = await rawPush();
    peer.write(jobHex(0, "0") + jobHex(1, "1"));
    await waitFor(() => pull.stats().queued === 2, { what: "both are here" });
    const first = await pull.receive();
    peer.destroy();
    await waitFor(() => pull.peers.length === 0, { what: "the PUSH is gone" });
    const second = await pull.receive();
    expect([first.text(), second.text()]).toEqual(["0", "1"]);
    expect([first.ack(), second.nack()]).toEqual([false, false]);
    expect(pull.stats()).toMatchObject({ acknowledged: 0, refusedJobs: 0, unsettled: 0 });
  });

  it("says false when its PUSH has ended its side", async () => {
    const { pull, peer } = await rawPush();
    peer.write(jobHex(0, "0"));
    peer.end();
    await peer.closed();
    expect((await pull.receive()).ack()).toBe(false);
  });

  it("stops reading a PUSH with maxQueuedBytes waiting, and goes on when half was taken", async () => {
    const { pull, peer } = await rawPush({ maxQueuedBytes: 400, window: 100 });
    for (let i = 0; i < 50; i++) peer.write(jobHex(i, "x"));
    await turns();
    const { queued, queuedBytes } = pull.stats();
    expect(queued).toBeLessThan(50);
    expect(queuedBytes).toBeLessThan(400 + 65);
    for (let i = 0; i < 50; i++) await pull.receive();
  });

  it("takes one job that is larger than maxQueuedBytes", async () => {
    const { pull, peer } = await rawPush({ maxQueuedBytes: 1 });
    peer.write(jobHex(0, "larger"));
    expect((await pull.receive()).text()).toBe("larger");
  });

  it("stops reading a PUSH that does not read what is settled", async () => {
    const { pull, peer } = await rawPush({ sendHighWaterBytes: 100, window: 65_535 });
    pull.consume((job) => void job.nack());
    peer.setReading(false);
    let sent = 0;
    for (; sent < 200; sent++) {
      peer.write(jobHex(sent, "x"));
      await turns(2);
    }
    const { messagesReceived } = pull.stats();
    expect(messagesReceived).toBeLessThan(50);
    peer.setReading(true);
    await waitFor(() => pull.stats().messagesReceived === sent, { what: "it reads on" });
  });
});

describe("PULL with a job it cannot read", () => {
  it.each([
    ["at once", undefined],
    ["a while later", () => turns(1)],
  ])("gives it back and tells, %s", async (_when, until) => {
    const { pull, peer } = await rawPush({ window: 5, decompressors: [brackets(until)] });
    await peer.expect(flowHex("window", 0, 5));
    const dropped = pull.once("dropped");
    peer.write(bracketHex(0, "[ok]") + bracketHex(1, "broken") + jobHex(2, "plain"));
    const texts = [(await pull.receive()).text(), (await pull.receive()).text()];
    expect(texts).toEqual(["ok", "plain"]);
    expect(await dropped).toMatchObject({
      reason: "unreadable",
      error: { code: "MSG_DECOMPRESS_FAILED" },
    });
    await peer.expect(flowHex("nack", 1, 1));
    expect(pull.stats()).toMatchObject({ dropped: { unreadable: 1 }, unsettled: 2 });
  });

  it.each([
    ["an unknown compression", "04 03 00000000 00000001 78"],
    ["a reserved flag", "04 80 00000000 00000001 78"],
    ["a compression of nothing", "04 05 00000000 00000000"],
  ])("gives back one with %s and lives", async (_what, frame) => {
    const { pull, peer } = await rawPush({ window: 5, decompressors: [brackets()] });
    await peer.expect(flowHex("window", 0, 5));
    peer.write(frame + jobHex(1, "next"));
    expect((await pull.receive()).text()).toBe("next");
    await peer.expect(flowHex("nack", 0, 1));
  });

  it("gives a job that was being read when its PUSH went, whose ack() says false", async () => {
    const { pull, peer } = await rawPush({
      decompressors: [
        brackets(() => waitFor(() => pull.peers.length === 0, { what: "the PUSH is gone" })),
      ],
    });
    peer.write(bracketHex(0, "[ok]"));
    await waitFor(() => pull.stats().bytesReceived >= 5 + 14, { what: "it has arrived" });
    peer.destroy();
    const job = await pull.receive();
    expect([job.text(), job.ack()]).toEqual(["ok", false]);
  });
});

describe("PULL at most once", () => {
  it("acknowledges when a job arrives", async () => {
    const { pull, peer } = await rawPush({ delivery: "at-most-once", window: 5 });
    await peer.expect(flowHex("window", 0, 5));
    peer.write(jobHex(0, "0") + jobHex(1, "1"));
    await peer.expect(flowHex("ack", 0, 2));
    const job = await pull.receive();
    expect([job.ack(), job.nack()]).toEqual([false, false]);
    expect(pull.stats()).toMatchObject({ acknowledged: 2, unsettled: 0, queued: 1 });
  });

  it("stops reading when a window of jobs waits", async () => {
    const { pull, peer } = await rawPush({ delivery: "at-most-once", window: 4 });
    for (let i = 0; i < 20; i++) peer.write(jobHex(i, String(i)));
    await turns();
    expect(pull.stats().queued).toBe(4);
    for (let i = 0; i < 20; i++) expect((await pull.receive()).text()).toBe(String(i));
  });

  it("counts as lost what nobody has taken when it closes", async () => {
    const { pull, peer } = await rawPush({ delivery: "at-most-once" });
    peer.write(jobHex(0, "0") + jobHex(1, "1"));
    await waitFor(() => pull.stats().queued === 2, { what: "both are here" });
    const dropped = pull.once("dropped");
    await pull.close({ lingerMs: 10 });
    expect(await dropped).toMatchObject({ reason: "lost-job", count: 2 });
    expect(pull.stats()).toMatchObject({ dropped: { "lost-job": 2 }, queued: 0 });
  });
});
