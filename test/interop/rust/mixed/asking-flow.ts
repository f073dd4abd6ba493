import type { ReqSocket } from "msg-ts";
import type { Ends } from "../pairs.ts";
import { pairs } from "../pairs.ts";
import type { RustPeer } from "../rust-peer.ts";
import { askAll } from "../traffic.ts";
import type { Account, Flow, Side } from "./flow.ts";
import { addTo } from "./flow.ts";

const turnRequests = 200;
const inFlight = 32;
const sizes = [8, 200, 3_000];

/** A REQ of ours with `retry` asks: all is answered but what is under way when it is closed. */
export class AskingFlow implements Flow {
  readonly name: string;
  readonly #ends: Ends;
  readonly #lost: Record<string, number> = {};
  readonly #faults: string[] = [];
  #peer!: RustPeer;
  #req!: ReqSocket;
  /** Settled while our side is there. */
  #restarting: Promise<void> = Promise.resolve();
  #sent = 0;
  #right = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    this.name = `${pairs.tsReq}, ${ends.carrier.name}`;
  }

  async start(): Promise<void> {
    const address = await this.#ends.carrier.knownAddress(this.#ends.stage);
    this.#peer = await this.#ends.rust("rep", ["--compressor", "lz4"], address);
    this.#req = await this.#ask();
  }

  async turn(): Promise<void> {
    await this.#restarting;
    const outcome = await askAll(this.#req, turnRequests, inFlight, sizes, this.#sent);
    this.#sent += outcome.sent;
    this.#right += outcome.right;
    const { MSG_CLOSED: closed = 0, ...failed } = outcome.failed;
    addTo(this.#lost, "closed with our REQ", closed);
    for (const [code, count] of Object.entries(failed)) this.#faults.push(`${count} ${code}`);
    if (outcome.wrong > 0) this.#faults.push(`${outcome.wrong} wrong replies`);
  }

  async restart(side: Side): Promise<void> {
    if (side === "rust") {
      await this.#peer.kill();
      const args = ["--compressor", "lz4"];
      this.#peer = await this.#ends.rust("rep", args, this.#peer.address);
      return;
    }
    this.#restarting = (async () => {
      // Before the next one: a REP of msg-rs over IPC has one client at a time.
      await this.#req.close({ lingerMs: 0 });
      this.#req = await this.#ask();
    })();
    await this.#restarting;
  }

  async finish(): Promise<Account> {
    const { pending } = this.#req.stats();
    if (pending > 0) this.#faults.push(`${pending} requests without an end`);
    return { sent: this.#sent, arrived: this.#right, lost: this.#lost, faults: this.#faults };
  }

  #ask(): Promise<ReqSocket> {
    return this.#ends.req(this.#peer.address, { retry: true, timeoutMs: 60_000 });
  }
}
