import { MsgError } from "@msg-ts/core";
import type { PubSocket, ReqSocket, SubSocket } from "msg-ts";
import { expect, expectEqual } from "../expect.ts";
import { numbered, numberOf } from "../numbered.ts";
import { hasReceived } from "./pairs.ts";
import type { AskCounts, RustPeer } from "./rust-peer.ts";

/** What a SUB of msg-rs holds between its connection and the application: more at once is lost. */
const rustSubQueue = 1_024;
/** Published before the other side is looked at. */
const turn = rustSubQueue / 2;

/** Sends numbered requests, so many at a time, and waits until each has an outcome. */
export async function askAll(
  req: ReqSocket,
  count: number,
  inFlight: number,
  sizes: readonly number[],
  first = 0,
): Promise<AskCounts> {
  const failed: Record<string, number> = {};
  const outcome = { sent: count, right: 0, wrong: 0, failed };
  let next = first;
  const worker = async (): Promise<void> => {
    while (next < first + count) {
      const number = next++;
      const payload = numbered(number, sizes[number % sizes.length] ?? 0);
      try {
        const reply = await req.request(payload);
        if (payload.equals(reply.payload)) outcome.right += 1;
        else outcome.wrong += 1;
      } catch (error) {
        const code = MsgError.is(error) ? error.code : String(error);
        failed[code] = (failed[code] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return outcome;
}

/** Checks that every request was answered rightly. */
export function expectAllRight(outcome: AskCounts, count: number): void {
  const { sent, right, wrong, failed } = outcome;
  expectEqual(
    "requests",
    { sent, right, wrong, failed },
    { sent: count, right: count, wrong: 0, failed: {} },
  );
}

/** Publishes numbered messages no faster than a SUB of msg-rs can keep, and waits for all. */
export async function publishPaced(
  pub: PubSocket,
  peer: RustPeer,
  topic: string,
  count: number,
  sizes: readonly number[],
): Promise<void> {
  const { received } = await peer.subCounts();
  for (let number = 0; number < count; number++) {
    await pub.publish(topic, numbered(number, sizes[number % sizes.length] ?? 0));
    if ((number + 1) % turn === 0) await hasReceived(peer, received + number + 1);
  }
  await hasReceived(peer, received + count);
}

/** Checks that a SUB of msg-rs has the numbers from 0 on, each once, in order. */
export async function expectAllThere(peer: RustPeer, count: number): Promise<void> {
  const { received, wrong, repeated, disordered, dropped, ranges } = await peer.subCounts();
  expectEqual(
    "messages",
    { received, wrong, repeated, disordered, dropped, ranges },
    { received: count, wrong: 0, repeated: 0, disordered: 0, dropped: 0, ranges: [[0, count - 1]] },
  );
}

/** Takes the numbers from `first` on from a SUB, each once, in order. */
export async function takeAll(sub: SubSocket, count: number, first = 0): Promise<void> {
  for (let number = first; number < first + count; number++) {
    const message = await sub.receive({ timeoutMs: 20_000 });
    const taken = numberOf(message.payload);
    expect(taken === number, `message ${number} is next, not ${taken}`);
  }
}
