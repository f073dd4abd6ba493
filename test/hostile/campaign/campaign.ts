import { rmSync } from "node:fs";
import { waitFor } from "@msg-ts/testing";
import { ServiceProcess } from "../../rolling/service-process.ts";
import type { Attack } from "./attack.ts";
import { AttackScene } from "./attack.ts";
import type { CampaignNetwork, TransportName } from "./network.ts";
import { makeNetwork } from "./network.ts";
import type { Addresses, BystanderReport, VictimReport } from "./reports.ts";

const MiB = 1024 * 1024;

/** How much may still be there when an attack is over: caches, and what is not collected yet. */
const leftMiB = 32;

/**
 * How much more than its bound an attack may have resident: heap that V8 has made room in and not
 * given back. (Most that was seen: 27 MiB in all, of gzip's bombs.)
 */
const residentSlackMiB = 32;

/**
 * How much more may be resident behind all attacks, each of which took its memory and gave it back:
 * 62 MiB that glibc keeps of freed large messages (decision 0023), and as much for what V8 compiled
 * and the room that it has made. (Seen: 46 to 69 MiB, of which half came with the first three.)
 */
const keptResidentMiB = 128;

/** How long what is due may take: not all of it is noticed before the attackers go. */
const patienceMs = 10_000;

/** Bystanders of six patterns, both ways: one connection for each. */
const goodPeers = 6;

/** What came of one attack. */
export interface AttackResult {
  readonly name: string;
  readonly links: number;
  readonly ms: number;
  /** What the victim told, and how often. */
  readonly counts: Readonly<Record<string, number>>;
  /** More than when it began, at most. */
  readonly mostMiB: number;
  readonly boundMiB: number;
  /** How much more was resident than when it began, at most. */
  readonly residentMiB: number;
  /** What bystanders got meanwhile: messages, answers, jobs. */
  readonly bystanders: number;
  /** Why it is not well; empty when it is. */
  readonly failures: readonly string[];
}

/** A victim with six sockets, six bystanders, and attacks on it, each by itself. */
export class Campaign {
  readonly #network: CampaignNetwork;
  readonly #victim: ServiceProcess;
  readonly #bystanders: ServiceProcess;
  readonly #addresses: Addresses;
  #firstResidentBytes: number | undefined;
  #lastResidentBytes = 0;

  private constructor(
    network: CampaignNetwork,
    victim: ServiceProcess,
    bystanders: ServiceProcess,
    addresses: Addresses,
  ) {
    this.#network = network;
    this.#victim = victim;
    this.#bystanders = bystanders;
    this.#addresses = addresses;
  }

  static async start(transport: TransportName): Promise<Campaign> {
    const network = await makeNetwork(transport);
    const victim = new ServiceProcess(child("campaign-victim"), { flags: ["--expose-gc"] });
    const bystanders = new ServiceProcess(child("campaign-bystanders"));
    victim.say(network);
    const { addresses } = await victim.hear<{ addresses: Addresses }>("where it listens");
    bystanders.say({ network, addresses });
    await bystanders.hear("that all are connected");
    return new Campaign(network, victim, bystanders, addresses);
  }

  /** What all attacks together left in resident memory, garbage collected. */
  get kept(): { readonly residentMiB: number; readonly boundMiB: number } {
    const first = this.#firstResidentBytes ?? this.#lastResidentBytes;
    return { residentMiB: (this.#lastResidentBytes - first) / MiB, boundMiB: keptResidentMiB };
  }

  async end(): Promise<void> {
    await Promise.all([this.#victim.kill(), this.#bystanders.kill()]);
    rmSync(this.#network.folder, { recursive: true, force: true });
  }

  /** Attacks, waits until the attackers are gone, and looks at what it did. */
  async attack(attack: Attack, seed: number, forMs: number): Promise<AttackResult> {
    const failures: string[] = [];
    await this.#ask(true);
    const before = await this.#askBystanders();
    const startMs = performance.now();
    const scene = new AttackScene(this.#network, this.#addresses, seed, forMs);
    try {
      await attack.run(scene);
    } catch (error) {
      failures.push(`the attack failed: ${String(error)}`);
    }
    // While the attackers are still there.
    const during = await this.#until(({ counts }) => isTold(attack, counts));
    const meanwhile = await this.#askBystanders();
    scene.leave();
    const after = await this.#calm(attack, failures);
    const left = await this.#ask(true);
    const later = await this.#askBystanders();
    failures.push(
      ...after.faults,
      ...later.faults.filter((fault) => !before.faults.includes(fault)),
    );
    const counts = { ...after.counts };
    for (const what of attack.told) {
      if (counts[what] === undefined) failures.push(`nobody told of "${what}"`);
    }
    for (const [what, count] of Object.entries(before.progress)) {
      if ((later.progress[what] ?? 0) <= count) failures.push(`bystanders stand still: ${what}`);
    }
    const mostMiB = (Math.max(during.mostBytes, after.mostBytes) - after.beganBytes) / MiB;
    if (mostMiB > attack.mostMiB) {
      failures.push(`it took ${mostMiB.toFixed(0)} MiB, at most ${attack.mostMiB} are allowed`);
    }
    const end = await this.#ask(false);
    const keptMiB = (end.beganBytes - left.beganBytes) / MiB;
    const residentMiB = (left.mostResidentBytes - left.beganResidentBytes) / MiB;
    if (residentMiB > attack.mostMiB + residentSlackMiB) {
      const text = `${attack.mostMiB} and ${residentSlackMiB} are allowed`;
      failures.push(`it took ${residentMiB.toFixed(0)} MiB of resident memory, ${text}`);
    }
    this.#firstResidentBytes ??= left.beganResidentBytes;
    this.#lastResidentBytes = end.beganResidentBytes;
    if (keptMiB > leftMiB) failures.push(`${keptMiB.toFixed(0)} MiB are left behind`);
    return {
      name: attack.name,
      links: scene.linkCount,
      ms: performance.now() - startMs,
      counts,
      mostMiB,
      boundMiB: attack.mostMiB,
      residentMiB,
      bystanders: sum(meanwhile) - sum(before),
      failures,
    };
  }

  /** Asks the victim until it is so, for a time. */
  async #until(isSo: (report: VictimReport) => boolean): Promise<VictimReport> {
    let report = await this.#ask(false);
    const endMs = performance.now() + patienceMs;
    while (!isSo(report) && performance.now() < endMs) {
      await waitFor(nextLook(), { what: "a moment has passed" });
      report = await this.#ask(false);
    }
    return report;
  }

  /** Only the good ones are left, and what is to be told is told. */
  async #calm(attack: Attack, failures: string[]): Promise<VictimReport> {
    const report = await this.#until(
      ({ peers, counts }) => peers === goodPeers && isTold(attack, counts),
    );
    if (report.peers !== goodPeers) {
      failures.push(`${report.peers} peers are connected, ${goodPeers} are good`);
    }
    return report;
  }

  #ask(isBegin: boolean): Promise<VictimReport> {
    this.#victim.say({ isBegin });
    return this.#victim.hear<VictimReport>("what it saw");
  }

  #askBystanders(): Promise<BystanderReport> {
    this.#bystanders.say({});
    return this.#bystanders.hear<BystanderReport>("what they got");
  }
}

function isTold({ told }: Attack, counts: VictimReport["counts"]): boolean {
  return told.every((what) => counts[what] !== undefined);
}

function child(name: string): URL {
  return new URL(`../children/${name}.ts`, import.meta.url);
}

function sum({ progress }: BystanderReport): number {
  return Object.values(progress).reduce((all, count) => all + count, 0);
}

/** True at the second look. */
function nextLook(): () => boolean {
  let looks = 0;
  return () => looks++ > 5;
}
