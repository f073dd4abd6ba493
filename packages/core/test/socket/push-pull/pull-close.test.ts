import { expectNoLeaks, waitFor } from "@msg-ts/testing";
import { Inproc } from "@msg-ts/transports/inproc";
import { describe, expect, it } from "vitest";
import type { Job } from "../../../src/socket/push-pull/job.ts";
import { Deferred, flowHex, jobHex, RawPeer, rawPush, Rig, turns } from "./push-pull-rig.ts";

const longLingerMs = 60_000;

describe("PULL close()", () => {
  expectNoLeaks();

  it("wants no more, says goodbye, and gives back what nobody has taken", async () => {
    const { pull, peer } = await rawPush({ window: 9 });
    await peer.expect(flowHex("window", 0, 9));
    peer.write(jobHex(0, "0") + jobHex(1, "1") + jobHex(2, "2"));
    const job = await pull.receive();
    const closing = pull.close({ lingerMs: longLingerMs });
    await peer.expect(flowHex("window", 0, 0) + flowHex("bye") + flowHex("nack", 1, 2));
    expect(job.ack()).toBe(true);
    await peer.expect(flowHex("ack", 0, 1));
    await peer.closed();
    peer.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("does not wait when nothing is taken", async () => {
    const { pull, peer } = await rawPush();
    const closing = pull.close({ lingerMs: longLingerMs });
    await waitFor(() => peer.hasEnded, { what: "the PULL ends its stream" });
    peer.end();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("lets the running call of a callback finish, and acknowledges it", async () => {
    const { pull, peer } = await rawPush({ window: 9 });
    await peer.expect(flowHex("window", 0, 9));
    const work = new Deferred();
    const started: string[] = [];
    pull.consume((job) => {
      started.push(job.text());
      return work.promise;
    });
    peer.write(jobHex(0, "0") + jobHex(1, "1"));
    await waitFor(() => started.length === 1, { what: "the callback runs" });
    const closing = pull.close({ lingerMs: longLingerMs });
    await peer.expect(flowHex("window", 0, 0) + flowHex("bye") + flowHex("nack", 1, 1));
    work.resolve();
    await peer.expect(flowHex("ack", 0, 1));
    await peer.closed();
    peer.end();
    await closing;
    expect(started).toEqual(["0"]);
  });

  it("lets the body of a for await finish, acknowledges its job and ends the loop", async () => {
    const { pull, peer } = await rawPush({ window: 9 });
    await peer.expect(flowHex("window", 0, 9));
    peer.write(jobHex(0, "0") + jobHex(1, "1"));
    const seen: string[] = [];
    const loop = (async (): Promise<void> => {
      for await (const job of pull) {
        seen.push(job.text());
        await peer.received(30);
      }
    })();
    await waitFor(() => seen.length === 1, { what: "the body runs" });
    const closing = pull.close({ lingerMs: longLingerMs });
    await loop;
    await peer.expect(
      flowHex("window", 0, 0) + flowHex("bye") + flowHex("nack", 1, 1) + flowHex("ack", 0, 1),
    );
    peer.end();
    await closing;
    expect(seen).toEqual(["0"]);
  });

  it("waits for a call that goes on after it settled its job itself", async () => {
    const { pull, peer } = await rawPush();
    let isFinished = false;
    const work = new Deferred();
    pull.consume(async (job) => {
      job.ack();
      await work.promise;
      isFinished = true;
    });
    peer.write(jobHex(0, "0"));
    await waitFor(() => pull.stats().acknowledged === 1, { what: "the callback runs" });
    const closing = pull.close({ lingerMs: longLingerMs });
    await turns();
    expect(peer.hasEnded).toBe(false);
    work.resolve();
    await peer.closed();
    expect(isFinished).toBe(true);
    peer.end();
    await closing;
  });

  it("gives up on what is taken when linger ends", async () => {
    const { pull, peer } = await rawPush({ window: 9 });
    peer.write(jobHex(0, "0"));
    const job = await pull.receive();
    await pull.close({ lingerMs: 20 });
    expect(job.ack()).toBe(false);
    expect(pull.stats()).toMatchObject({ acknowledged: 0 });
  });

  it("ends at once with lingerMs 0", async () => {
    const { pull, peer } = await rawPush();
    peer.write(jobHex(0, "0") + jobHex(1, "1"));
    await pull.receive();
    await pull.close({ lingerMs: 0 });
    expect(pull.stats()).toMatchObject({ queued: 0, queuedBytes: 0, peers: 0 });
    await peer.closed();
  });

  it("does not wait for jobs whose PUSH is gone", async () => {
    const { pull, peer } = await rawPush();
    peer.write(jobHex(0, "0"));
    await pull.receive();
    const closing = pull.close({ lingerMs: longLingerMs });
    peer.destroy();
    expect(await closing).toEqual({ unsent: 0, unacknowledged: 0 });
  });

  it("wants nothing of a PUSH that becomes ready only then", async () => {
    const { pull, peer, hub } = await rawPush({ reconnect: { minDelayMs: 1, maxDelayMs: 1 } });
    peer.write(jobHex(0, "0"));
    const job = await pull.receive();
    // A listener that ends the first connection before a byte: the next one is watched for a while.
    const late: RawPeer[] = [];
    let links = 0;
    const listener = await new Inproc(hub).listen("late", {
      onLink: (link) => {
        if (links++ === 0) link.destroy();
        else late.push(new RawPeer(link));
      },
      onError: () => {},
      onRefused: () => {},
    });
    await pull.connect("late");
    await waitFor(() => (late[0]?.hex.length ?? 0) >= 10, { what: "it is dialed again" });
    late[0]?.forget();
    //                  version type name
    late[0]?.write("00 01      05   0000");
    await turns();
    const closing = pull.close({ lingerMs: longLingerMs });
    expect(await late[0]?.expect(flowHex("window", 0, 0) + flowHex("bye"))).toBe(true);
    late[0]?.end();
    job.ack();
    await peer.closed();
    peer.end();
    await closing;
    await listener.close();
  });

  it("gives what it returns to another PULL of the same PUSH, once", async () => {
    const rig = await Rig.start();
    const leaving = await rig.pull({ window: 10 });
    for (let i = 0; i < 10; i++) void rig.push.send(String(i));
    await waitFor(() => leaving.stats().queued === 10, { what: "all are queued" });
    const staying = await rig.pull();
    const jobs: Job[] = [];
    staying.consume((job) => void jobs.push(job));
    await leaving.close();
    await waitFor(() => rig.push.stats().acknowledged === 10, { what: "all are done" });
    expect(jobs.map((job) => [job.text(), job.deliveryCount])).toEqual(
      Array.from({ length: 10 }, (_, i) => [String(i), 2]),
    );
  });
});
