import { describe, expect, it } from "vitest";
import type { Traffic } from "../src/quic/traffic-budget.ts";
import { overBudget, TrafficBudget } from "../src/quic/traffic-budget.ts";

const MiB = 1024 * 1024;
const secondMs = 1_000;
const dayMs = 86_400 * secondMs;

const nothing: Traffic = {
  receivedPackets: 0,
  receivedBytes: 0,
  sentDatagrams: 0,
  moves: 0,
  streamBytesReceived: 0,
  streamBytesSent: 0,
  unreadBytes: 0,
  ageMs: 0,
};

describe("the traffic of a connection", () => {
  it.each<[string, Partial<Traffic>]>([
    ["a handshake", { receivedPackets: 12, receivedBytes: 20_000, sentDatagrams: 12 }],
    [
      "a day of signs of life, and probes of the path each minute",
      {
        receivedPackets: 8_640 + 1_440 * 4,
        receivedBytes: 8_640 * 40 + 1_440 * 55_000,
        sentDatagrams: 8_640 + 1_440 * 4,
        ageMs: dayMs,
      },
    ],
    [
      "100,000 requests of 64 bytes in two seconds, each twice on the way",
      {
        receivedPackets: 200_000,
        receivedBytes: 200_000 * 120,
        sentDatagrams: 200_000,
        moves: 200_000,
        streamBytesReceived: 100_000 * 74,
        streamBytesSent: 100_000 * 74,
        ageMs: 2 * secondMs,
      },
    ],
    [
      "100 MB received while every fifth datagram is lost, in large reads",
      {
        receivedPackets: 90_000,
        receivedBytes: 125 * MiB,
        sentDatagrams: 60_000,
        moves: 1_600,
        streamBytesReceived: 100 * MiB,
        ageMs: 10 * secondMs,
      },
    ],
    [
      "100 MB sent while every fifth datagram is lost, in large writes",
      {
        receivedPackets: 60_000,
        receivedBytes: 5 * MiB,
        sentDatagrams: 110_000,
        moves: 1_600,
        streamBytesSent: 100 * MiB,
        ageMs: 10 * secondMs,
      },
    ],
    [
      "16 links that are not read, each as full as it may be",
      {
        receivedPackets: 60_000,
        receivedBytes: 70 * MiB,
        sentDatagrams: 30_000,
        unreadBytes: 64 * MiB,
        ageMs: secondMs,
      },
    ],
  ])("is explained by %s", (_, traffic) => {
    expect(overBudget({ ...nothing, ...traffic })).toBeUndefined();
  });

  it.each<[string, Partial<Traffic>, string]>([
    [
      "packets without anything for a stream",
      { receivedPackets: 3_000, receivedBytes: 120_000, sentDatagrams: 1_500, ageMs: secondMs },
      "caused 4500 datagrams for 0 reads and writes of its streams",
    ],
    [
      "bytes that are not of a stream",
      { receivedPackets: 7_000, receivedBytes: 9.5 * MiB, moves: 2_000, streamBytesReceived: 500 },
      "sent 9260972 bytes beside 500 bytes of its streams",
    ],
  ])("is not explained by %s", (_, traffic, why) => {
    expect(overBudget({ ...nothing, ...traffic })).toBe(why);
  });
});

describe("the budget of a connection", () => {
  const stats = {
    receivedPackets: 20_000,
    receivedBytes: 20_000 * 60,
    sentBytes: 0,
    lostPackets: 0,
    roundTripMs: 1,
    congestionWindowBytes: 1,
  };
  const link = { moves: 2_000, receivedBytes: 100_000, sentBytes: 0, isReading: true };

  it("is looked at every 512 datagrams of both ends", () => {
    const budget = new TrafficBudget(4 * MiB);
    for (let count = 0; count < 256; count++) {
      expect(budget.isLookDue).toBe(false);
      budget.onReceived();
      budget.onSent();
    }
    expect(budget.isLookDue).toBe(true);
    budget.excessOf([], { ...stats, receivedPackets: 256 });
    expect(budget.isLookDue).toBe(false);
  });

  it("counts links that are there, and those that are gone", () => {
    const budget = new TrafficBudget(4 * MiB);
    expect(budget.excessOf([link], stats)).toBeUndefined();
    expect(budget.excessOf([], stats)).toContain("for 0 reads and writes");
    budget.onLinkGone(link);
    expect(budget.excessOf([], stats)).toBeUndefined();
  });

  it("allows for what may wait on a link that is not read", () => {
    const budget = new TrafficBudget(4 * MiB);
    const waiting = { ...stats, receivedPackets: 10_000, receivedBytes: 10 * MiB };
    const idle = { ...link, moves: 1_000, receivedBytes: 0 };
    expect(budget.excessOf([idle], waiting)).toContain("beside 0 bytes");
    expect(budget.excessOf([{ ...idle, isReading: false }], waiting)).toBeUndefined();
  });

  it("allows for it when such a link is gone, of 16 of them", () => {
    const budget = new TrafficBudget(4 * MiB);
    const unread = { ...link, receivedBytes: 0, isReading: false };
    const after = (receivedBytes: number): string | undefined =>
      budget.excessOf([], { ...stats, receivedPackets: 10_000, receivedBytes });
    for (let count = 0; count < 3; count++) budget.onLinkGone(unread);
    expect(after(20 * MiB)).toBeUndefined();
    expect(after(22 * MiB)).toContain("beside 0 bytes");
    for (let count = 0; count < 100; count++) budget.onLinkGone(unread);
    expect(after(72 * MiB)).toBeUndefined();
    expect(after(74 * MiB)).toContain("beside 0 bytes");
  });
});
