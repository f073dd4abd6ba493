import { describe, expect, it } from "vitest";
import { patternBytes, seededRandom } from "./transport-pattern.ts";
import type { LinkProbe } from "./transport-probe.ts";
import type { TransportSuite } from "./transport-rig.ts";
import { TransportRig } from "./transport-rig.ts";
import { waitFor } from "./wait-for.ts";

const mebibyte = 1024 * 1024;

/** What holds for bytes on their way: order, memory, and a reader slower than its writer. */
export function describeTransportFlow(suite: TransportSuite): void {
  describe("bytes", () => {
    it("arrive whole and in order, 10 MiB in random pieces both ways at once", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      sendPieces(dialed, 10 * mebibyte, seededRandom(2));
      sendPieces(accepted, 10 * mebibyte, seededRandom(3));
      await waitForBytes(accepted, 10 * mebibyte);
      await waitForBytes(dialed, 10 * mebibyte);
      expect(dialed.violations).toEqual([]);
    });

    it("arrive in the order of the chunks of one write, empty ones left out", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      const chunks = ["a", "", "bc", "def", ""].map((text) => new TextEncoder().encode(text));
      dialed.write(...chunks);
      dialed.say("g");
      await waitFor(() => accepted.receivedBytes >= 7, { what: "all chunks have arrived" });
      expect(accepted.text).toBe("abcdefg");
    });

    it("arrive in order when they come in 10_000 small writes at once", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.keepsBytes = false;
      for (let sent = 0; sent < 70_000; sent += 7) dialed.write(patternBytes(sent, 7));
      await waitForBytes(accepted, 70_000);
      expect(accepted.violations).toEqual([]);
    });

    it("that are none are taken at once", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      expect(dialed.write()).toBe(true);
      expect(dialed.write(new Uint8Array(0))).toBe(true);
      expect(dialed.link.bufferedBytes).toBe(0);
      dialed.say("some");
      await waitFor(() => accepted.text === "some", { what: "the text has arrived" });
    });

    for (const length of [7, 5_000, 100_000]) {
      it(`may be overwritten by their writer once they are taken, ${length} at a time`, async () => {
        const rig = new TransportRig(suite);
        const { dialed, accepted } = await rig.pair();
        accepted.keepsBytes = false;
        // Two chunks for each write: a transport may gather them, or keep one and send the other.
        const chunks = [new Uint8Array(length), new Uint8Array(length)];
        const overwrite = (): void => chunks.forEach((chunk) => chunk.fill(0xdd));
        const total = length * 100;
        let sent = 0;
        const sendNext = (): void => {
          while (sent < total) {
            for (const chunk of chunks) {
              chunk.set(patternBytes(sent, length));
              sent += length;
            }
            if (!dialed.write(...chunks)) return;
            overwrite();
          }
        };
        dialed.onDrain = () => {
          overwrite();
          sendNext();
        };
        sendNext();
        await waitForBytes(accepted, total);
        expect(accepted.violations).toEqual([]);
      });
    }

    it("are not given while the reader has stopped, and wait at the writer", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.keepsBytes = false;
      accepted.setReading(false);
      const sent = await fill(rig, dialed);
      expect(accepted.receivedBytes).toBe(0);
      expect(dialed.link.bufferedBytes).toBeGreaterThan(0);
      const drained = dialed.drainCount;
      accepted.setReading(true);
      await waitForBytes(accepted, sent);
      await waitFor(() => dialed.drainCount > drained, { what: "the writer knows of it" });
      expect(dialed.link.bufferedBytes).toBe(0);
    });

    it("stop behind the chunk in which the reader stopped", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.keepsBytes = false;
      accepted.onData = () => accepted.setReading(false);
      const sent = 4 * mebibyte;
      dialed.write(patternBytes(0, sent));
      for (let chunks = 1; chunks <= 3; chunks++) {
        await waitFor(() => accepted.chunkCount >= chunks, { what: `chunk ${chunks} has come` });
        await rig.settle();
        expect(accepted.chunkCount).toBe(chunks);
        accepted.setReading(true);
      }
      accepted.onData = undefined;
      accepted.setReading(true);
      await waitForBytes(accepted, sent);
    });

    it("go the other way while the reader has stopped", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.setReading(false);
      dialed.say("unread");
      accepted.say("hello");
      await waitFor(() => dialed.text === "hello", { what: "the text has arrived" });
      expect(accepted.receivedBytes).toBe(0);
    });

    it("of one write of 64 MiB are not stored at a reader that has stopped", async () => {
      const rig = new TransportRig(suite);
      const { dialed, accepted } = await rig.pair();
      accepted.keepsBytes = false;
      accepted.setReading(false);
      const before = process.memoryUsage();
      const large = patternBytes(0, 64 * mebibyte);
      expect(dialed.write(large)).toBe(false);
      await rig.settle();
      expect(dialed.link.bufferedBytes).toBeGreaterThan(32 * mebibyte);
      // What was written itself, and as much again at most for what is under way.
      const { arrayBuffers } = process.memoryUsage();
      expect(arrayBuffers - before.arrayBuffers).toBeLessThan(large.length + 16 * mebibyte);
      accepted.setReading(true);
      await waitForBytes(accepted, large.length);
      await waitFor(() => dialed.drainCount === 1, { what: "the writer knows that all was taken" });
    });
  });
}

async function waitForBytes(probe: LinkProbe, length: number): Promise<void> {
  const what = `${length} bytes have arrived`;
  await waitFor(() => probe.receivedBytes >= length, { what, withinMs: 15_000 });
  expect(probe.receivedBytes).toBe(length);
}

/** Writes the pattern in pieces of 0 to 100_000 bytes, as fast as they are taken. */
function sendPieces(probe: LinkProbe, length: number, random: () => number): void {
  probe.keepsBytes = false;
  let sent = 0;
  const sendNext = (): void => {
    while (sent < length) {
      const pieces: Uint8Array[] = [];
      for (let count = Math.ceil(random() * 4); count > 0; count--) {
        const size = Math.min(Math.floor(random() ** 3 * 100_000), length - sent);
        pieces.push(patternBytes(sent, size));
        sent += size;
      }
      if (!probe.write(...pieces)) return;
    }
  };
  probe.onDrain = sendNext;
  sendNext();
}

/** Writes until the link is full and stays full; gives how much went in. */
async function fill(rig: TransportRig, probe: LinkProbe): Promise<number> {
  let sent = 0;
  let drained = -1;
  while (drained !== probe.drainCount || probe.link.bufferedBytes === 0) {
    drained = probe.drainCount;
    for (let isTaken = true; isTaken; sent += mebibyte) {
      isTaken = probe.write(patternBytes(sent, mebibyte));
    }
    await rig.settle();
  }
  return sent;
}
