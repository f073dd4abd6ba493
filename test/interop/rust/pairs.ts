import type { MsgError, SocketOptions } from "@msg-ts/core";
import { waitFor } from "@msg-ts/testing";
import type { PubOptions, RepOptions, ReqOptions, SubOptions } from "msg-ts";
import { PubSocket, RepSocket, ReqSocket, SubSocket } from "msg-ts";
import type { Outcome, Scene } from "../scene.ts";
import type { Stage } from "../stage.ts";
import type { Carrier, Role } from "./carriers.ts";
import { RustPeer } from "./rust-peer.ts";

/** Every pair that msg-rs can be one end of: its REP and PUB bind, its REQ and SUB dial. */
export const pairs = {
  tsReq: "ts REQ -> rust REP",
  rustReq: "rust REQ -> ts REP",
  tsSub: "ts SUB -> rust PUB",
  rustSub: "rust SUB -> ts PUB",
} as const;

type Pair = (typeof pairs)[keyof typeof pairs];

/** Back within a scene's patience. */
const reconnect: SocketOptions["reconnect"] = { minDelayMs: 20, maxDelayMs: 200 };
const readyWithinMs = 20_000;
const diaryEntries = 30;

/** Makes both ends of pairs over one transport, on one stage. */
export class Ends {
  readonly stage: Stage;
  readonly carrier: Carrier;
  readonly #program: string;

  constructor(program: string, carrier: Carrier, stage: Stage) {
    this.#program = program;
    this.carrier = carrier;
    this.stage = stage;
  }

  /** Starts a Rust peer, at an address or where it is free. */
  rust(role: Role, args: readonly string[] = [], address?: string): Promise<RustPeer> {
    const place = address ?? this.carrier.freshAddress(this.stage);
    const all = [...this.carrier.theirs(role), "--address", place, ...args];
    const peer = new RustPeer(this.#program, role, all);
    this.stage.atEnd(() => peer.kill());
    return peer.start();
  }

  /** A REQ that dials. */
  async req(address: string, options: ReqOptions = {}): Promise<ReqSocket> {
    const all = { timeoutMs: readyWithinMs, reconnect, ...options };
    const req = this.stage.socket(new ReqSocket(this.carrier.ours(), all));
    await req.connect(address);
    return req;
  }

  /** A SUB that dials, and is subscribed. */
  async sub(
    address: string,
    topics: readonly string[],
    options: SubOptions = {},
  ): Promise<SubSocket> {
    const sub = this.stage.socket(new SubSocket(this.carrier.ours(), { reconnect, ...options }));
    await sub.connect(address);
    const active = topics.map((topic) => sub.subscribe(topic, { timeoutMs: readyWithinMs }));
    await Promise.all(active);
    return sub;
  }

  /** A REP that is bound, and answers each request with its payload. */
  async echo(options: RepOptions = {}, address?: string): Promise<RepSocket> {
    const rep = await this.rep(options, address);
    rep.serve((request) => request.payload);
    return rep;
  }

  /** A REP that is bound. */
  async rep(options: RepOptions = {}, address?: string): Promise<RepSocket> {
    const rep = this.stage.socket(new RepSocket(this.carrier.ours(), options));
    await rep.bind(address ?? this.carrier.freshAddress(this.stage));
    return rep;
  }

  /** A PUB that is bound. */
  async pub(options: PubOptions = {}, address?: string): Promise<PubSocket> {
    const pub = this.stage.socket(new PubSocket(this.carrier.ours(), options));
    await pub.bind(address ?? this.carrier.freshAddress(this.stage));
    return pub;
  }
}

/** Gives a scene the ends that it is played with. */
export type OnStage = (carrier: Carrier, run: (ends: Ends) => Promise<Outcome>) => Scene["run"];

/** What is done with each pair. */
export type Runs = Readonly<Partial<Record<Pair, (ends: Ends) => Promise<Outcome>>>>;

/** One scene for each pair. */
export function scenesOf(runs: Runs, { carrier, onStage, ...rest }: SceneFrame): readonly Scene[] {
  return Object.entries(runs).map(([pair, run]) => ({
    pair,
    transport: carrier.name,
    ...rest,
    run: onStage(carrier, run),
  }));
}

/** What the scenes of several pairs have in common. */
interface SceneFrame extends Pick<Scene, "what" | "isHeavy" | "withinMs"> {
  readonly carrier: Carrier;
  readonly onStage: OnStage;
}

/** What a socket told of its connections, the last of it: for the one who asks why nothing comes. */
export class Diary {
  readonly #entries: string[] = [];
  readonly #startMs = performance.now();

  follow(socket: ReqSocket | SubSocket): void {
    const note = (name: string, error?: MsgError): void => this.#note(name, error);
    socket.on("connected", () => note("connected"));
    socket.on("disconnected", ({ reason }) => note("disconnected", reason));
    socket.on("retrying", ({ error }) => note("retrying", error));
    socket.on("refused", ({ error }) => note("refused", error));
  }

  get text(): string {
    return this.#entries.join("\n");
  }

  #note(name: string, error: MsgError | undefined): void {
    const atMs = (performance.now() - this.#startMs).toFixed(0);
    this.#entries.push(`${atMs} ms: ${name}${error === undefined ? "" : `, ${error.message}`}`);
    if (this.#entries.length > diaryEntries) this.#entries.shift();
  }
}

/** Waits until a SUB of msg-rs has received so many. */
export async function hasReceived(peer: RustPeer, count: number, withinMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const { received } = await peer.subCounts();
    if (received >= count) return;
    if (performance.now() > deadlineMs) {
      throw new Error(`rust SUB received ${received} of ${count} within ${withinMs} ms`);
    }
    await pause(2);
  }
}

/** Waits until a subscription of a SUB that dialed is there. */
export async function isSubscribed(pub: PubSocket, topic: string): Promise<void> {
  await pub.waitForSubscriber(topic, { timeoutMs: readyWithinMs });
}

/** Waits until so many peers are connected. */
export async function hasPeers(
  socket: { stats(): { readonly peers: number } },
  count: number,
  withinMs = readyWithinMs,
): Promise<void> {
  const what = `${count} peers are connected`;
  await waitFor(() => socket.stats().peers === count, { what, withinMs });
}

/** For what no event tells: that nothing comes. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
