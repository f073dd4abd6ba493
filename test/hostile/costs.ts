import { joinBytes, naiveEncode } from "@msg-ts/testing";
import { gzip } from "@msg-ts/compression/gzip";
import { pubDefaults } from "../../packages/core/src/socket/pub-sub/pub-options.ts";
import { subDefaults } from "../../packages/core/src/socket/pub-sub/sub-options.ts";
import { pullDefaults } from "../../packages/core/src/socket/push-pull/pull-options.ts";
import { pushDefaults } from "../../packages/core/src/socket/push-pull/push-options.ts";
import { repDefaults } from "../../packages/core/src/socket/req-rep/rep-options.ts";
import { socketDefaults } from "../../packages/core/src/socket/socket-options.ts";
import { auth, job, message, request, subscribe } from "./campaign/attack.ts";
import type { HostileLink } from "./campaign/hostile-link.ts";
import type { SocketName } from "./campaign/reports.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

const { maxMessageBytes, sendHighWaterBytes } = socketDefaults;

/** A frame that is arriving: all of it, and the memory before, a quarter as large, until it is moved. */
const frameBytes = maxMessageBytes + maxMessageBytes / 4;

/** What a connection reads into while much comes. */
const slabBytes = 256 * KiB;

/** One thing that a peer can make a socket hold, as docs/limits.md lists them. */
export interface Cost {
  /** The two first cells of its row there. */
  readonly peer: string;
  readonly holds: string;
  /** From the defaults. */
  readonly atMostBytes: number;
  /** What the attack below really has held, at least: else it measures nothing. */
  readonly atLeastBytes: number;
  readonly victim: {
    readonly name: SocketName;
    readonly bytes?: number;
    readonly count?: number;
    readonly isClosedToAll?: boolean;
  };
  /** It is the application's, or another peer's, when this one is gone. @defaultValue false */
  readonly staysBehind?: boolean;
  /** How many do the same. @defaultValue 1 */
  readonly peers?: number;
  /** Has the victim hold as much as it can, and leaves it so. */
  readonly attack: (link: HostileLink, send: () => Promise<void>) => Promise<void>;
}

/** All but the last byte of a frame. */
function unfinished(frame: Uint8Array): Uint8Array {
  return frame.subarray(0, frame.length - 1);
}

/** So many bytes of payload, in messages of 1 MiB less what a queue counts for each. */
const smallPayload = new Uint8Array(MiB - 1_024);
const largePayload = new Uint8Array(maxMessageBytes);

/** A little less than its share, so that reading goes on; then a frame that never ends. */
function* shareAndFrame(
  frame: (index: number, payload: Uint8Array) => Uint8Array,
): Iterable<Uint8Array> {
  for (let index = 0; index < 15; index++) yield frame(index, smallPayload);
  yield unfinished(frame(15, largePayload));
}

async function hello(link: HostileLink, socketType: number): Promise<void> {
  link.send({ type: "hello", socketType, name: "" });
  await link.has(5);
}

/** Everything in the table "What one peer can cost". */
export const costs: readonly Cost[] = [
  {
    peer: "not let in yet",
    holds: "unread bytes, one chunk, a token",
    atMostBytes: 8 * KiB + 16 * KiB + 4 * KiB,
    atLeastBytes: 8 * KiB,
    victim: { name: "rep", isClosedToAll: true },
    peers: 200,
    attack: async (link) => {
      link.write(auth("x".repeat(1_000)));
      link.write(new Uint8Array(200 * KiB));
    },
  },
  {
    peer: "REQ at a REP",
    holds: "unanswered requests: 16 MiB, and a frame",
    atMostBytes: repDefaults.maxPendingBytes + frameBytes,
    atLeastBytes: 15 * MiB + maxMessageBytes - MiB,
    victim: { name: "rep" },
    attack: (link) => link.pour(shareAndFrame((id, payload) => naiveEncode(request(id, payload)))),
  },
  {
    peer: "REQ at a REP",
    holds: "replies it does not read: 64 MiB, and one more reply",
    atMostBytes: repDefaults.maxUnsentReplyBytes + maxMessageBytes,
    atLeastBytes: 100 * MiB,
    victim: { name: "rep", bytes: 60 * MiB },
    attack: async (link) => {
      link.setReading(false);
      link.send(...Array.from({ length: 20 }, (_, id) => request(id, new Uint8Array(1))));
    },
  },
  {
    peer: "any, if compressed",
    holds: "decompressed payloads: 128 MiB, and frames that wait for them: 16 MiB",
    atMostBytes: 2 * maxMessageBytes + maxMessageBytes / 4 + repDefaults.maxPendingBytes,
    atLeastBytes: 60 * MiB,
    // Its end is seen when it is read from again: when its first request had its answerTimeoutMs.
    staysBehind: true,
    victim: { name: "rep" },
    attack: async (link) => {
      const frames: Uint8Array[] = [];
      for (const [id, size] of [60, 15, 15, 15].entries()) {
        const payload = await gzip().compress(new Uint8Array(size * MiB));
        frames.push(naiveEncode(request(id, payload, 1)));
      }
      link.write(joinBytes(frames));
    },
  },
  {
    peer: "REP at a REQ",
    holds: "a frame",
    atMostBytes: frameBytes,
    atLeastBytes: maxMessageBytes - MiB,
    victim: { name: "req" },
    attack: async (link) => {
      await hello(link, 2);
      const id = 1;
      const frame = naiveEncode({ type: "reply", id, compression: 0, payload: largePayload });
      await link.pour([unfinished(frame)]);
    },
  },
  {
    peer: "SUB at a PUB",
    holds: "under way: 1 MiB, and one message",
    atMostBytes: sendHighWaterBytes + maxMessageBytes,
    atLeastBytes: 50 * MiB,
    victim: { name: "pub", bytes: 60 * MiB, count: 1 },
    attack: async (link, send) => {
      link.setReading(false);
      link.send(subscribe("a"));
      await send();
    },
  },
  {
    peer: "SUB at a PUB",
    holds: "its queue: 8 MiB, and one message; messages are shared by all subscribers",
    atMostBytes: pubDefaults.maxQueuedBytes + maxMessageBytes,
    atLeastBytes: 50 * MiB,
    // The first one is under way, and counted above.
    victim: { name: "pub", bytes: 60 * MiB, count: 2 },
    attack: async (link, send) => {
      link.setReading(false);
      link.send(subscribe("a"));
      await send();
    },
  },
  {
    peer: "SUB at a PUB",
    holds: "its topics, estimated",
    atMostBytes: pubDefaults.maxSubscriptionBytesPerPeer,
    atLeastBytes: 20 * MiB,
    victim: { name: "pub" },
    attack: async (link) => {
      for (let batch = 0; batch < 1_400; batch++) {
        const topics = Array.from({ length: 100 }, (_, index) => `sensor.${batch}.${index}`);
        await link.pour([joinBytes(topics.map((topic) => naiveEncode(subscribe(topic))))]);
      }
    },
  },
  {
    peer: "PUB at a SUB",
    holds: "waiting messages: 16 MiB, and a frame",
    atMostBytes: subDefaults.maxQueuedBytes + frameBytes,
    atLeastBytes: 15 * MiB + maxMessageBytes - MiB,
    victim: { name: "sub" },
    staysBehind: true,
    attack: async (link) => {
      await hello(link, 3);
      await link.pour(shareAndFrame((index, payload) => naiveEncode(message(index, payload))));
    },
  },
  {
    peer: "PULL at a PUSH",
    holds: "unsettled jobs: 64 MiB, and one job",
    atMostBytes: pushDefaults.maxUnackedBytes + maxMessageBytes,
    atLeastBytes: 100 * MiB,
    victim: { name: "push", bytes: 60 * MiB, count: 2 },
    staysBehind: true,
    attack: async (link, send) => {
      await hello(link, 6);
      link.send({ type: "window", count: 0xffff_ffff });
      await send();
    },
  },
  {
    peer: "PUSH at a PULL",
    holds: "waiting jobs: 16 MiB, and a frame",
    atMostBytes: pullDefaults.maxQueuedBytes + frameBytes,
    atLeastBytes: 15 * MiB + maxMessageBytes - MiB,
    victim: { name: "pull" },
    staysBehind: true,
    attack: async (link) => {
      await hello(link, 5);
      await link.pour(shareAndFrame((index, payload) => naiveEncode(job(index, payload))));
    },
  },
];

/** What is not payload: slabs, chunks, and the objects of one connection. */
export const besideBytes: number = 2 * MiB + slabBytes;

/** As the page shows it: `76 KiB`, `96 MiB`. */
export function shown(bytes: number): string {
  return bytes < MiB ? `${bytes / KiB} KiB` : `${bytes / MiB} MiB`;
}
