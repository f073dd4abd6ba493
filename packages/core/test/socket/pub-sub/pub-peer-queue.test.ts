import { describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../../../src/contracts/protocol.ts";
import { PubPeerQueue } from "../../../src/socket/pub-sub/pub-peer-queue.ts";

function messageOf(bytes: number): OutgoingMessage {
  return {
    topic: "t",
    topicBytes: new Uint8Array(0),
    timestampMicros: 0,
    compression: 0,
    payload: new Uint8Array(bytes),
  };
}

describe("PubPeerQueue", () => {
  it("gives what a plain array gives, whatever is added and taken when", () => {
    let state = 3;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    const queue = new PubPeerQueue();
    const model: [message: OutgoingMessage, sequence: number][] = [];
    let sequence = 2 ** 32 - 1_000;
    for (let step = 0; step < 20_000; step++) {
      // In waves: it grows, is emptied, and wraps in between.
      const isAdded = random(100) < (step % 3_000 < 1_500 ? 70 : 30);
      const message = messageOf(random(50));
      if (isAdded) {
        queue.push(message, sequence);
        model.push([message, sequence]);
        sequence = (sequence + 1 + random(3)) >>> 0;
      }
      const oldest = isAdded ? undefined : model.shift();
      const number = queue.sequence;
      const taken = isAdded ? undefined : queue.shift();
      expect(taken === undefined ? undefined : [taken, number]).toEqual(oldest);
      if (random(50) === 0) queue.trim();
      expect(queue.size).toBe(model.length);
      expect(queue.bytes).toBe(model.reduce((sum, [{ payload }]) => sum + payload.length, 0));
    }
  });
});
