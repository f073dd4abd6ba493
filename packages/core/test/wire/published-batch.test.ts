import { describe, expect, it } from "vitest";
import type { OutgoingMessage } from "../../src/contracts/protocol.ts";
import { PublishedWriter } from "../../src/wire/msg/publish-subscribe.ts";
import { GrowingBuffer } from "./growing-buffer.ts";

function messageOf(topic: string, payload: Uint8Array, compression = 0): OutgoingMessage {
  const topicBytes = new TextEncoder().encode(topic);
  return { topic, topicBytes, timestampMicros: 1_700_000_000_123_456, compression, payload };
}

const messages = [
  messageOf("", new Uint8Array(0)),
  messageOf("a", Uint8Array.of(1, 2, 3)),
  messageOf("a.longer.topic.of.several.tokens", new Uint8Array(100).fill(7), 2),
  messageOf("\u00e4", new Uint8Array(4_096).fill(9)),
];

/** The bytes of the messages one by one. */
function oneByOne(sequence: number): Uint8Array {
  const out = new GrowingBuffer();
  const writer = new PublishedWriter(out);
  for (const [index, message] of messages.entries()) {
    writer.publish(message, (sequence + index) >>> 0);
  }
  return out.written;
}

describe("a batch of published messages", () => {
  it("is on the wire what the messages are one by one, for each subscriber its own numbers", () => {
    const out = new GrowingBuffer();
    const writer = new PublishedWriter(out);
    const batch = writer.newBatch();
    for (const message of messages) expect(batch.add(message)).toBe(true);
    for (const sequence of [0, 5, 5, 0xffff_fffe]) {
      const before = out.written.length;
      writer.publishBatch(batch, sequence);
      expect(out.written.slice(before)).toEqual(oneByOne(sequence));
      expect(batch.bytes).toBe(out.written.length - before);
    }
  });

  it("holds other messages after it was cleared", () => {
    const out = new GrowingBuffer();
    const writer = new PublishedWriter(out);
    const batch = writer.newBatch();
    batch.add(messageOf("before", new Uint8Array(10)));
    writer.publishBatch(batch, 0);
    batch.clear();
    expect([batch.bytes, batch.messages]).toEqual([0, []]);
    const before = out.written.length;
    for (const message of messages) batch.add(message);
    writer.publishBatch(batch, 0);
    expect(out.written.slice(before)).toEqual(oneByOne(0));
  });

  it("takes no more than a chunk, and nothing large", () => {
    const batch = new PublishedWriter(new GrowingBuffer()).newBatch();
    expect(batch.add(messageOf("a", new Uint8Array(4_097)))).toBe(false);
    const message = messageOf("a", new Uint8Array(4_000));
    while (batch.add(message));
    expect(batch.bytes).toBeLessThanOrEqual(65_536);
    expect(batch.bytes).toBeGreaterThan(65_536 - 4_021);
    expect(batch.messages).toHaveLength(16);
    expect(batch.add(messageOf("x".repeat(65_525), new Uint8Array(0)))).toBe(false);
  });
});
