import type { NaiveFrame, NaiveRole } from "@msg-ts/testing";
import { naiveDecode } from "@msg-ts/testing";
import { maxMessageBytes } from "./stream-inputs.ts";

/** What a whole socket makes of a stream, as far as a plain reading of the wire can say it. */
export interface Outcome {
  /** What the application sees, in order. */
  readonly seen: readonly string[];
  /** True when the socket ends the connection for what came. */
  readonly isClosed: boolean;
}

/** By type, as HELLO numbers them. */
const typeNumbers: Readonly<Record<NaiveRole, number>> = {
  REQ: 1,
  REP: 2,
  PUB: 3,
  SUB: 4,
  PUSH: 5,
  PULL: 6,
};

const partners: Readonly<Record<NaiveRole, NaiveRole>> = {
  REQ: "REP",
  REP: "REQ",
  PUB: "SUB",
  SUB: "PUB",
  PUSH: "PULL",
  PULL: "PUSH",
};

/** Whether the acceptor of that role is greeted with HELLO. */
export function isGreeted(role: NaiveRole): boolean {
  return role !== "REP" && role !== "PUB";
}

/** The number of the type that may dial the role. */
export function partnerNumber(role: NaiveRole): number {
  return typeNumbers[partners[role]];
}

/** How many requests or jobs a REQ or PUSH has for its peer. */
export const given = 3;

/** What ought to come of a stream at a socket that was dialed. */
export function expectedOutcome(role: NaiveRole, stream: Uint8Array): Outcome {
  const hello = isGreeted(role) ? helloOutcome(role, stream) : "let in";
  // No frame is read, and nothing is given, before the peer is let in.
  if (hello !== "let in") {
    const { seen } = role === "REQ" ? { seen: [] } : models[role]([], false);
    return { seen, isClosed: hello === "refused" };
  }
  const preamble = isGreeted(role) ? (["hello"] as const) : [];
  const { frames, error } = naiveDecode(stream, { role, preamble, maxMessageBytes });
  return models[role](frames.slice(preamble.length), error !== undefined);
}

/** A HELLO is refused for its first two bytes, then for its first five. */
function helloOutcome(role: NaiveRole, stream: Uint8Array): "let in" | "refused" | "awaited" {
  const [kind, version, type, high = 0, low = 0] = stream;
  if (stream.length < 2) return "awaited";
  if (kind !== 0 || (version !== 0 && version !== 1)) return "refused";
  if (version === 0) return stream.length < 3 ? "awaited" : "refused";
  if (stream.length < 5) return "awaited";
  const nameLength = 256 * high + low;
  if (type !== partnerNumber(role) || nameLength > 255) return "refused";
  return stream.length < 5 + nameLength ? "awaited" : "let in";
}

type Model = (frames: readonly NaiveFrame[], isWrong: boolean) => Outcome;

const models: Readonly<Record<NaiveRole, Model>> = {
  REQ: replies,
  REP: (frames, isClosed) => ({ seen: frames.flatMap(requested), isClosed }),
  PUB: subscriptions,
  SUB: messages,
  PUSH: flow,
  PULL: jobs,
};

/** Bytes as text. */
export function shown(payload: Uint8Array): string {
  return Buffer.from(payload).toString("hex");
}

function requested(frame: NaiveFrame): string[] {
  return frame.type === "request" && frame.compression === 0 ? [shown(frame.payload)] : [];
}

/**
 * The first answer to each request counts. What has none when the connection ends has failed, unless
 * the REP refused it, or said goodbye twice: then it did not run, and waits for another one.
 */
function replies(frames: readonly NaiveFrame[], isClosed: boolean): Outcome {
  const ends = new Map<number, string>();
  let goodbyes = 0;
  for (const frame of frames) {
    const id = frame.type === "unreadable" ? frame.number : "id" in frame ? frame.id : 0;
    const isDrained = frame.type === "error reply" && frame.code === "MSG_DRAINING";
    if (isDrained && id === 0xffff_ffff) goodbyes++;
    if (id < 1 || id > given || ends.has(id)) continue;
    if (isDrained) ends.set(id, "again");
    else if (frame.type === "reply" && frame.compression === 0) ends.set(id, shown(frame.payload));
    else ends.set(id, "failed");
  }
  for (let id = 1; id <= given; id++) {
    if (isClosed && goodbyes < 2 && !ends.has(id)) ends.set(id, "failed");
  }
  const seen = [...ends].filter(([, end]) => end !== "again").map(([id, end]) => `${id} ${end}`);
  return { seen: seen.toSorted(), isClosed };
}

function subscriptions(frames: readonly NaiveFrame[], isClosed: boolean): Outcome {
  const topics = new Set<string>();
  for (const frame of frames) {
    if (frame.type === "subscribe") topics.add(frame.topic);
    if (frame.type === "unsubscribe") topics.delete(frame.topic);
  }
  // Those of a connection that ended are forgotten.
  return { seen: [`${isClosed ? 0 : topics.size} topics`], isClosed };
}

function messages(frames: readonly NaiveFrame[], isClosed: boolean): Outcome {
  const seen: string[] = [];
  let [expected, lost] = [0, 0];
  for (const frame of frames) {
    const number =
      frame.type === "unreadable" ? frame.number : "sequence" in frame ? frame.sequence : expected;
    lost += (number - expected) >>> 0;
    const isMark =
      frame.type === "mark" || frame.type === "subscribed" || frame.type === "publisher drains";
    expected = isMark ? number : (number + 1) >>> 0;
    if (frame.type === "message" && frame.compression === 0) {
      seen.push(`${frame.topic} ${shown(frame.payload)}`);
    }
  }
  return { seen: [...seen, `${lost} lost`], isClosed };
}

function jobs(frames: readonly NaiveFrame[], isWrong: boolean): Outcome {
  const seen: string[] = [];
  let expected = 0;
  for (const frame of frames) {
    const number =
      frame.type === "unreadable" ? frame.number : "sequence" in frame ? frame.sequence : -1;
    if (number !== expected) return { seen, isClosed: true };
    expected++;
    if (frame.type === "job" && frame.compression === 0) {
      seen.push(`${frame.earlierDeliveries + 1} ${shown(frame.payload)}`);
    }
  }
  return { seen, isClosed: isWrong };
}

/** A PUSH with a few jobs; what comes back waits longer than the stream takes. */
function flow(frames: readonly NaiveFrame[], isWrong: boolean): Outcome {
  const push = new NaivePush();
  const isEnded = frames.some((frame) => push.hear(frame));
  return { seen: [`${push.acknowledged} acknowledged`], isClosed: isEnded || isWrong };
}

/** What a PUSH does for what a PULL says. */
class NaivePush {
  acknowledged = 0;
  #next = 0;
  #window = 0;
  #isDraining = false;
  readonly #unsettled = new Set<number>();

  /** True when it ends the connection for that. */
  hear(frame: NaiveFrame): boolean {
    if (frame.type === "window") this.#window = frame.count;
    if (frame.type === "pull drains") this.#isDraining = true;
    if (frame.type === "ack" || frame.type === "nack") {
      if (!this.#isInRange(frame.sequence, frame.count)) return true;
      this.#settle(frame.sequence, frame.count, frame.type === "ack");
    }
    while (!this.#isDraining && this.#next < given && this.#unsettled.size < this.#window) {
      this.#unsettled.add(this.#next++);
    }
    // Who drains and has settled all is let go.
    return this.#isDraining && this.#unsettled.size === 0;
  }

  #isInRange(sequence: number, count: number): boolean {
    const oldest = Math.min(this.#next, ...this.#unsettled);
    const behind = (this.#next - sequence) >>> 0;
    return behind >= count && behind <= this.#next - oldest + 65_536;
  }

  #settle(sequence: number, count: number, isDone: boolean): void {
    for (let at = 0; at < count; at++) {
      const wasUnsettled = this.#unsettled.delete((sequence + at) >>> 0);
      if (wasUnsettled && isDone) this.acknowledged++;
    }
  }
}
