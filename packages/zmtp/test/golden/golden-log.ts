import { readFileSync } from "node:fs";
import { bytes, hex, joinBytes } from "@msg-ts/testing";
import type { RawPeer } from "../raw-peer.ts";

/** What one side said, in the order of the capture. */
export interface Step {
  /** C dialed. */
  readonly by: "C" | "S";
  readonly bytes: Uint8Array;
}

/** The exchanges of a capture, by their titles. */
export function exchangesOf(file: string): ReadonlyMap<string, readonly Step[]> {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  const exchanges = new Map<string, Step[]>();
  let steps: Step[] = [];
  for (const line of text.split("\n")) {
    const title = /^###? (.*)$/.exec(line)?.[1];
    if (title !== undefined) {
      steps = [];
      exchanges.set(title, steps);
    }
    const said = /(C->S|S->C) \d+B: (.*)$/.exec(line);
    if (said?.[1] === undefined || said[2] === undefined) continue;
    steps.push({ by: said[1] === "C->S" ? "C" : "S", bytes: bytes(said[2]) });
  }
  return exchanges;
}

/** All that one side said. */
export function allOf(steps: readonly Step[], by: "C" | "S"): Uint8Array {
  return joinBytes(steps.filter((step) => step.by === by).map((step) => step.bytes));
}

/**
 * A stream without what means nothing: the padding of the greeting, in which libzmq puts the length of
 * its identity, and the as-server byte.
 */
export function meaning(stream: Uint8Array): string {
  const copy = stream.slice();
  copy.fill(0, 1, 9);
  if (copy.length > 32) copy[32] = 0;
  return hex(copy);
}

/** Plays the other side of a capture: says its part when ours has said as much as was captured before. */
export async function play(
  steps: readonly Step[],
  them: "C" | "S",
  raw: RawPeer,
  until: number = steps.length,
): Promise<string> {
  const heard: string[] = [];
  let due = 0;
  for (const step of steps.slice(0, until)) {
    if (step.by === them) {
      if (due > 0) heard.push(await raw.take(due));
      due = 0;
      raw.bytes(step.bytes);
    } else due += step.bytes.length;
  }
  if (due > 0) heard.push(await raw.take(due));
  return meaning(bytes(heard.join("")));
}
