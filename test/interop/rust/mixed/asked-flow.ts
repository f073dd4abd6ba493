import type { RepSocket } from "msg-ts";
import { numberOf, Seen } from "../../numbered.ts";
import type { Ends } from "../pairs.ts";
import { pairs } from "../pairs.ts";
import type { AskCounts, RustPeer } from "../rust-peer.ts";
import type { Account, Flow, Side } from "./flow.ts";
import { addTo } from "./flow.ts";

const turnRequests = 100;
const inFlight = 32;
const size = 200;
const args = ["--timeout-ms", "5000", "--backoff-ms", "20", "--min-compress", "100"];

/** A REQ of msg-rs asks: it sends nothing again, so what a restart cuts is lost, and nothing else. */
export class AskedFlow implements Flow {
  readonly name: string;
  readonly #ends: Ends;
  readonly #lost: Record<string, number> = {};
  readonly #faults: string[] = [];
  readonly #served = new Seen();
  #peer!: RustPeer;
  #rep!: RepSocket;
  #address = "";
  #restarting: Promise<void> = Promise.resolve();
  #sent = 0;
  #right = 0;
  #restarts = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    this.name = `${pairs.rustReq}, ${ends.carrier.name}`;
  }

  async start(): Promise<void> {
    this.#address = await this.#ends.carrier.knownAddress(this.#ends.stage);
    this.#rep = await this.#serve();
    this.#peer = await this.#dial();
  }

  async turn(): Promise<void> {
    await this.#restarting;
    const peer = this.#peer;
    const first = this.#sent;
    this.#sent += turnRequests;
    try {
      this.#count(await peer.askAll(turnRequests, inFlight, size, first));
    } catch (error) {
      if (peer.isAlive) throw error;
      addTo(this.#lost, "asked by a REQ that was killed", turnRequests);
    }
  }

  async restart(side: Side): Promise<void> {
    this.#restarts += 1;
    this.#restarting = side === "rust" ? this.#restartRust() : this.#restartOurs();
    await this.#restarting;
  }

  async finish(): Promise<Account> {
    const { repeated, count } = this.#served;
    if (repeated > 0) this.#faults.push(`${repeated} requests came twice`);
    if (count < this.#right) this.#faults.push(`${this.#right} replies to ${count} requests`);
    const timedOut = this.#lost["Timeout"] ?? 0;
    if (timedOut > this.#restarts * inFlight) this.#faults.push(`${timedOut} timeouts`);
    return { sent: this.#sent, arrived: this.#right, lost: this.#lost, faults: this.#faults };
  }

  #count({ right, wrong, failed }: AskCounts): void {
    this.#right += right;
    if (wrong > 0) this.#faults.push(`${wrong} wrong replies`);
    for (const [error, count] of Object.entries(failed)) {
      if (error === "Timeout" || error === "Wire(Decompression)") addTo(this.#lost, error, count);
      else this.#faults.push(`${count} ${error}`);
    }
  }

  async #restartRust(): Promise<void> {
    await this.#peer.kill();
    this.#peer = await this.#dial();
  }

  async #restartOurs(): Promise<void> {
    await this.#rep.close();
    this.#rep = await this.#serve();
  }

  #dial(): Promise<RustPeer> {
    return this.#ends.rust("req", [...args, "--compressor", "lz4"], this.#address);
  }

  async #serve(): Promise<RepSocket> {
    const rep = await this.#ends.rep({}, this.#address);
    rep.serve((request) => {
      const number = numberOf(request.payload);
      if (number === undefined) this.#faults.push("a damaged request");
      else this.#served.add(number);
      return request.payload;
    });
    return rep;
  }
}
