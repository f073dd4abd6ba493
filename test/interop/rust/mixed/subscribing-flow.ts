import { MsgError } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import type { SubSocket } from "msg-ts";
import { numberOf, Seen } from "../../numbered.ts";
import type { Ends } from "../pairs.ts";
import { Diary, pairs } from "../pairs.ts";
import type { RustPeer } from "../rust-peer.ts";
import type { Account, Flow, Side } from "./flow.ts";
import { noticedWithinMs } from "./flow.ts";

const turnMessages = 100;
const size = 200;
const args = ["--compressor", "snappy", "--min-compress", "100"];

/**
 * A SUB of ours reads what a PUB of msg-rs publishes: within the life of a connection nothing is
 * missing, between two lives what was published meanwhile.
 */
export class SubscribingFlow implements Flow {
  readonly name: string;
  readonly #ends: Ends;
  readonly #faults: string[] = [];
  readonly #seen = new Seen();
  readonly #diary = new Diary();
  #peer!: RustPeer;
  #sub!: SubSocket;
  #restarting: Promise<void> = Promise.resolve();
  #sent = 0;
  #restarts = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    this.name = `${pairs.tsSub}, ${ends.carrier.name}`;
  }

  async start(): Promise<void> {
    const address = await this.#ends.carrier.knownAddress(this.#ends.stage);
    this.#peer = await this.#ends.rust("pub", args, address);
    this.#sub = await this.#subscribe();
  }

  async turn(): Promise<void> {
    await this.#restarting;
    const peer = this.#peer;
    const command = `publish numbers ${turnMessages} ${size} ${this.#sent}`;
    this.#sent += turnMessages;
    try {
      await peer.ask(command, "published");
    } catch (error) {
      if (peer.isAlive) throw error;
    }
  }

  async restart(side: Side): Promise<void> {
    this.#restarts += 1;
    if (side === "rust") {
      this.#restarting = this.#restartRust();
      await this.#restarting;
    } else {
      await this.#sub.close({ lingerMs: 0 });
      this.#sub = await this.#subscribe();
    }
    // Not before something comes again: nothing else tells that a PUB of msg-rs knows its SUB.
    await this.#hasRead(this.#sent);
  }

  async finish(): Promise<Account> {
    await this.#hasRead(this.#sent - 1);
    const { ranges, repeated, count } = this.#seen;
    if (repeated > 0) this.#faults.push(`${repeated} messages came twice`);
    if (ranges.length > this.#restarts + 1) {
      this.#faults.push(
        `${ranges.length - 1} gaps, ${this.#restarts} restarts: ${ranges.join(" ")}`,
      );
    }
    if (this.#seen.last !== this.#sent - 1) {
      this.#faults.push(`the last message is ${this.#seen.last} of ${this.#sent}`);
    }
    const lost = { "published while a side was away": this.#sent - count };
    return { sent: this.#sent, arrived: count, lost, faults: this.#faults };
  }

  async #restartRust(): Promise<void> {
    await this.#peer.kill();
    this.#peer = await this.#ends.rust("pub", args, this.#peer.address);
  }

  async #hasRead(number: number): Promise<void> {
    const what = `our SUB reads message ${number}`;
    try {
      await waitFor(() => this.#seen.last >= number, { what, withinMs: noticedWithinMs });
    } catch (error) {
      throw new Error(`${String(error)}\n${this.#diary.text}`, { cause: error });
    }
  }

  async #subscribe(): Promise<SubSocket> {
    const sub = await this.#ends.sub(this.#peer.address, []);
    this.#diary.follow(sub);
    void this.#readAll(sub);
    await sub.subscribe("numbers");
    return sub;
  }

  async #readAll(sub: SubSocket): Promise<void> {
    try {
      for await (const message of sub) {
        const number = numberOf(message.payload);
        if (number === undefined) this.#faults.push("a damaged message");
        else this.#seen.add(number);
      }
    } catch (error) {
      if (!MsgError.is(error, "MSG_CLOSED")) this.#faults.push(String(error));
    }
  }
}
