import { gzip } from "@msg-ts/compression/gzip";
import { MsgError } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import type { PubSocket } from "msg-ts";
import { numbered } from "../../numbered.ts";
import type { Ends } from "../pairs.ts";
import { hasPeers, isSubscribed, pairs, pause } from "../pairs.ts";
import type { RustPeer, SubCounts } from "../rust-peer.ts";
import type { Account, Flow, Side } from "./flow.ts";
import { noticedWithinMs } from "./flow.ts";

const turnMessages = 100;
const size = 200;
/** A SUB of msg-rs loses what comes faster than it takes it: half of what it can hold. */
const maxAhead = 512;
const args = ["--topic", "numbers", "--progress-ms", "10"];

/**
 * A PUB of ours publishes to a SUB of msg-rs: within a life nothing is missing. A PUB that drains
 * delivers all first; what a SUB had when it was killed, and had not told of, is counted as away.
 */
export class PublishingFlow implements Flow {
  readonly name: string;
  readonly #ends: Ends;
  readonly #faults: string[] = [];
  readonly #lives: SubCounts[] = [];
  #peer!: RustPeer;
  #pub!: PubSocket;
  #address = "";
  #restarting: Promise<void> = Promise.resolve();
  #sent = 0;
  /** Those before are not waited for any more. */
  #base = 0;
  #restarts = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    this.name = `${pairs.rustSub}, ${ends.carrier.name}`;
  }

  async start(): Promise<void> {
    this.#address = await this.#ends.carrier.knownAddress(this.#ends.stage);
    this.#pub = await this.#bind();
    this.#peer = await this.#ends.rust("sub", args, this.#address);
    await isSubscribed(this.#pub, "numbers");
  }

  async turn(): Promise<void> {
    for (let index = 0; index < turnMessages; index++) await this.#publish();
    while (this.#sent - this.#arrived > maxAhead) await pause(2);
  }

  async restart(side: Side): Promise<void> {
    this.#restarts += 1;
    if (side === "rust") return this.#restartRust();
    this.#restarting = this.#restartOurs();
    return this.#restarting;
  }

  async finish(): Promise<Account> {
    await this.#hasAll();
    this.#lives.push(await this.#peer.subCounts());
    const ranges = this.#lives.flatMap((life) => life.ranges);
    for (const { wrong, repeated, disordered, dropped } of this.#lives) {
      const faults = { wrong, repeated, disordered, dropped };
      const isFaulty = Object.values(faults).some((count) => count > 0);
      if (isFaulty) this.#faults.push(JSON.stringify(faults));
    }
    if (ranges.length > this.#restarts + 1) {
      this.#faults.push(
        `${ranges.length - 1} gaps in ${this.#restarts} restarts: ${ranges.join(" ")}`,
      );
    }
    const arrived = ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const lost = { "published while a SUB was killed": this.#sent - arrived };
    return { sent: this.#sent, arrived, lost, faults: this.#faults };
  }

  /** How many the SUB has told of, or need not tell of. */
  get #arrived(): number {
    const last = this.#peer.progress?.ranges.at(-1)?.[1] ?? -1;
    return Math.max(this.#base, last + 1);
  }

  async #publish(): Promise<void> {
    await this.#restarting;
    try {
      await this.#pub.publish("numbers", numbered(this.#sent, size));
      this.#sent += 1;
    } catch (error) {
      if (!MsgError.is(error, "MSG_CLOSED")) throw error;
    }
  }

  async #restartRust(): Promise<void> {
    await this.#peer.kill();
    // Over UDP nothing tells it; a PUB that drained before would rightly report what waits for the dead.
    await hasPeers(this.#pub, 0, noticedWithinMs);
    if (this.#peer.progress !== undefined) this.#lives.push(this.#peer.progress);
    this.#peer = await this.#ends.rust("sub", args, this.#address);
    await isSubscribed(this.#pub, "numbers");
    this.#base = this.#sent;
  }

  /** A SUB of msg-rs does not dial again by itself. */
  async #restartOurs(): Promise<void> {
    const report = await this.#pub.drain();
    if (!report.isComplete) this.#faults.push(`a PUB could not drain: ${JSON.stringify(report)}`);
    await this.#hasAll();
    this.#pub = await this.#bind();
    await this.#peer.ask("disconnect", "done");
    await this.#peer.ask("connect", "done");
    await isSubscribed(this.#pub, "numbers");
  }

  async #hasAll(): Promise<void> {
    const what = `the SUB has message ${this.#sent - 1}`;
    const hasAll = (): boolean => this.#arrived >= this.#sent;
    await waitFor(hasAll, { what, withinMs: 20_000 }).catch((error: unknown) => {
      this.#faults.push(`${String(error)}, but ${this.#arrived - 1} was the last`);
    });
  }

  #bind(): Promise<PubSocket> {
    return this.#ends.pub({ compressor: gzip(), minCompressBytes: 100 }, this.#address);
  }
}
