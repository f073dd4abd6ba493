import { waitFor } from "@msg-ts/testing";
import { Tcp } from "msg-ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { documents } from "../docs/markdown.ts";
import { ServiceProcess } from "../rolling/service-process.ts";
import type { HostileLink } from "./campaign/hostile-link.ts";
import { HostileLink as Link } from "./campaign/hostile-link.ts";
import type { Cost } from "./costs.ts";
import { besideBytes, costs, shown } from "./costs.ts";

const MiB = 1024 * 1024;
const patienceMs = 60_000;

interface Held {
  readonly heldBytes: number;
}

/** What each peer has a socket hold at most, and what all leave behind that is not somebody else's. */
interface Measured {
  readonly heldBytes: number;
  readonly leftBytes: number;
}

/** Attacks a socket with default options in a process of its own. */
async function measured(cost: Cost): Promise<Measured> {
  const { victim, peers = 1, attack, atLeastBytes, staysBehind = false } = cost;
  const child = new ServiceProcess(new URL("children/limits-victim.ts", import.meta.url), {
    flags: ["--expose-gc"],
  });
  onTestFinished(() => child.kill());
  const { name, bytes = 0, count = 0, isClosedToAll = false } = victim;
  child.say({ name, bytes, count, isClosedToAll });
  const start = await child.hear<Held & { address: string }>("where it listens");
  const ask = async (isSending: boolean): Promise<number> => {
    child.say({ isSending });
    return (await child.hear<Held>("what it holds")).heldBytes;
  };
  const links: HostileLink[] = [];
  for (let i = 0; i < peers; i++) links.push(await Link.dial(new Tcp(), start.address));
  onTestFinished(() => {
    for (const link of links) link.destroy();
  });
  const before = await ask(false);
  const send = async (): Promise<void> => {
    // What the attacker asked for has come by then.
    await ask(false);
    await waitFor(later(20), { what: "it is read" });
    await ask(true);
  };
  await Promise.all(links.map((link) => attack(link, send)));
  // It is read, told and held a moment later: until it no longer grows.
  const endMs = performance.now() + patienceMs;
  let most = 0;
  for (let still = 0; still < 4 && performance.now() < endMs;) {
    await waitFor(later(20), { what: "a moment has passed" });
    const held = ((await ask(false)) - before) / peers;
    const isEnough = held >= atLeastBytes;
    still = isEnough && held <= most + MiB / 4 ? still + 1 : 0;
    most = Math.max(most, held);
  }
  for (const link of links) link.destroy();
  if (staysBehind) return { heldBytes: most, leftBytes: 0 };
  let left = most * peers;
  while (left >= besideBytes && performance.now() < endMs) {
    await waitFor(later(20), { what: "a moment has passed" });
    left = (await ask(false)) - before;
  }
  return { heldBytes: most, leftBytes: left };
}

/** True at so many looks from now. */
function later(looks: number): () => boolean {
  let left = looks;
  return () => left-- <= 0;
}

describe("what one peer can cost", { timeout: 180_000 }, () => {
  const page = documents().find(({ file }) => file === "docs/limits.md");
  const rows = page?.tables.find(({ name }) => name === "costs")?.rows ?? [];

  it("stands in docs/limits.md as the defaults add up", () => {
    let peer = "";
    const written = rows.map((row) => {
      peer = row["peer"] === "" ? peer : (row["peer"] ?? "");
      return [peer, row["what it holds"], row["at most"]];
    });
    const counted = written.filter(([, , most]) => most !== "not bounded in bytes");
    expect(counted).toEqual(
      costs.map(({ peer: who, holds, atMostBytes }) => [who, holds, shown(atMostBytes)]),
    );
  });

  for (const cost of costs) {
    it(`${cost.peer}, ${cost.holds}: no more than that is held`, async () => {
      const beside = (cost.victim.count ?? 0) > 1 && cost.victim.name === "pub" ? 65 * MiB : 0;
      const { peers = 1 } = cost;
      const { heldBytes, leftBytes } = await measured(cost);
      expect(heldBytes).toBeGreaterThan(cost.atLeastBytes);
      expect(heldBytes).toBeLessThan(cost.atMostBytes + beside + besideBytes / peers);
      expect(leftBytes).toBeLessThan(besideBytes);
    });
  }
});
