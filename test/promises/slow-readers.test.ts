import { once } from "node:events";
import { connect } from "node:net";
import { joinBytes, naiveEncode, waitFor } from "@msg-ts/testing";
import { SubSocket, Tcp } from "msg-ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { closing } from "../e2e/sockets.ts";
import { Child } from "./child.ts";

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;
const timeout = 120_000;
const withinMs = 60_000;

/** What the defaults let a publisher keep for one subscriber (docs/limits.md). */
const publisherBound = {
  sendHighWaterBytes: mebibyte,
  maxQueued: 8_192,
  maxQueuedBytes: 8 * mebibyte,
};
/** Objects around a payload: its view and buffer, the message, its place in the queue. */
const overheadBytesPerMessage = 512;
/** Chunks that frames are written into: 16 idle ones, and those under way. */
const chunkPoolBytes = 16 * 64 * kibibyte;
/** Compiled code and inline caches come with the work, whatever it is. */
const warmUpBytes = 4 * mebibyte;

describe("a peer that does not read", () => {
  it(
    "a subscriber that never reads while 1,000,000 messages of 1 KiB are published leaves the publisher's heap growth under its stated bound, and when it reads again both sides agree on the exact number lost, a lost tail included",
    { timeout },
    async () => {
      const messages = 1_000_000;
      const publisher = new Child("slow-publisher", { flags: ["--expose-gc"] });
      const { address } = await publisher.hear<{ address: string }>("where it listens");
      const sub = closing(new SubSocket(new Tcp(), { maxQueued: 10 }));
      await sub.connect(address);
      await sub.subscribe("a", { timeoutMs: withinMs });
      publisher.say({ messages, payloadBytes: kibibyte });
      const { grownBytes } = await publisher.hear<{ grownBytes: number }>("how it grew", withinMs);
      const { sendHighWaterBytes, maxQueued, maxQueuedBytes } = publisherBound;
      const bound =
        2 * sendHighWaterBytes +
        maxQueuedBytes +
        maxQueued * overheadBytesPerMessage +
        chunkPoolBytes +
        warmUpBytes;
      expect(grownBytes).toBeLessThan(bound);
      expect(sub.stats().queued).toBeLessThanOrEqual(10);
      let received = 0;
      let last = -1;
      sub.consume((message) => {
        received++;
        expect(message.sequence).toBeGreaterThan(last);
        last = message.sequence;
      });
      const told = await publisher.hear<{ lost: number; deliveries: number }>("its loss", withinMs);
      await waitFor(() => received + sub.stats().lost === messages, {
        what: "every message is received or known to be lost",
        withinMs,
      });
      // The tail was lost too: the last number came with no message.
      expect(last).toBeLessThan(messages - 1);
      expect([told.lost, told.deliveries]).toEqual([sub.stats().lost, messages]);
      expect(told.lost).toBeGreaterThan(messages / 2);
    },
  );

  it(
    "a REP client that never reads its replies leaves the REP's heap growth under its stated bound, and when it reads again every request has exactly one answer",
    { timeout },
    async () => {
      const requests = 100_000;
      const replier = new Child("slow-replier", { flags: ["--expose-gc"] });
      const { address } = await replier.hear<{ address: string }>("where it listens");
      const [host, port] = address.split(":");
      const client = connect({ host: host ?? "", port: Number(port) });
      onTestFinished(() => void client.destroy());
      client.pause();
      await once(client, "connect");
      let written = 0;
      const frames = Array.from({ length: 1_000 }, (_, index) => index);
      const send = (): void => {
        while (written < requests) {
          const batch = frames.map((index) =>
            naiveEncode({
              type: "request",
              id: written + index,
              compression: 0,
              payload: question,
            }),
          );
          written += batch.length;
          if (!client.write(joinBytes(batch))) break;
        }
      };
      client.on("drain", send);
      send();
      // It reads no more requests either: what it does not take stays with the client.
      let before = -1;
      await waitFor(() => client.writableLength > 0, {
        what: "the REP has stopped reading",
        withinMs,
      });
      let report = { grownBytes: 0, answered: 0, unread: 0 };
      while (report.answered !== before) {
        before = report.answered;
        replier.say({});
        report = await replier.hear("how it grew", withinMs);
      }
      const replies = mebibyte / kibibyte;
      const bound = 2 * mebibyte + replies * overheadBytesPerMessage + chunkPoolBytes + warmUpBytes;
      expect(report.answered).toBeLessThan(requests);
      expect(report.grownBytes).toBeLessThan(bound);
      const answers = new Uint8Array(requests);
      const count = countReplies(answers);
      client.on("data", count);
      client.resume();
      await waitFor(() => answers.every((answer) => answer > 0), {
        what: "every request is answered",
        withinMs,
      });
      expect(answers.every((answer) => answer === 1)).toBe(true);
      replier.say({});
      report = await replier.hear("how it grew", withinMs);
      expect([report.answered, report.unread]).toEqual([requests, 0]);
    },
  );
});

/** Larger than what the kernel takes for 100,000 requests. */
const question = new Uint8Array(200);

/** Counts replies by id, without keeping what was read. */
function countReplies(answers: Uint8Array): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    let bytes = Buffer.concat([rest, chunk]);
    while (bytes.length >= 10) {
      const length = 10 + bytes.readUInt32BE(6);
      if (bytes.length < length) break;
      const id = bytes.readUInt32BE(2);
      answers[id] = (answers[id] ?? 0) + 1;
      bytes = bytes.subarray(length);
    }
    rest = bytes;
  };
}
