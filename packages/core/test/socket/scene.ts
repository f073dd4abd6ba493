import assert from "node:assert/strict";
import type { Link } from "@msg-ts/core";
import type { NaiveDecoded, NaiveFrame, NaiveReader } from "@msg-ts/testing";
import { bytes, joinBytes, naiveDecode, naiveEncode, SimulatedRuntime } from "@msg-ts/testing";
import { onTestFinished } from "vitest";
import type { PubOptions } from "../../src/socket/pub-sub/pub-options.ts";
import { PubSocket } from "../../src/socket/pub-sub/pub.ts";
import type { RepOptions } from "../../src/socket/req-rep/rep-options.ts";
import { RepSocket } from "../../src/socket/req-rep/rep.ts";
import type { ReqOptions } from "../../src/socket/req-rep/req-options.ts";
import { ReqSocket } from "../../src/socket/req-rep/req.ts";
import type { CloseOptions } from "../../src/socket/life-options.ts";
import type { SubOptions } from "../../src/socket/pub-sub/sub-options.ts";
import { SubSocket } from "../../src/socket/pub-sub/sub.ts";
import { SimNetwork } from "./sim-network.ts";

export { record } from "@msg-ts/testing";

interface AnySocket {
  bind(address: string): Promise<string>;
  connect(address: string): Promise<void>;
  close(options?: CloseOptions): Promise<unknown>;
}

/**
 * Sockets on a simulated clock and network. When the test ends all are closed, and nothing may be
 * left: no timer, no link, no listener.
 */
export class Scene {
  readonly runtime: SimulatedRuntime = new SimulatedRuntime({ random: () => 0.5 });
  readonly network: SimNetwork = new SimNetwork(this.runtime);
  readonly #sockets: AnySocket[] = [];
  readonly #raw: RawEnd[] = [];

  /** @param options - with `takesDown: false` the test sees to the end of its sockets itself. */
  constructor({ takesDown = true }: { readonly takesDown?: boolean } = {}) {
    if (takesDown) onTestFinished(() => this.takeDown());
  }

  req(options: ReqOptions = {}): ReqSocket {
    return this.own(new ReqSocket(this.network, { runtime: this.runtime, ...options }));
  }

  rep(options: RepOptions = {}): RepSocket {
    return this.own(new RepSocket(this.network, { runtime: this.runtime, ...options }));
  }

  pub(options: PubOptions = {}): PubSocket {
    return this.own(new PubSocket(this.network, { runtime: this.runtime, ...options }));
  }

  sub(options: SubOptions = {}): SubSocket {
    return this.own(new SubSocket(this.network, { runtime: this.runtime, ...options }));
  }

  settle(): Promise<void> {
    return this.runtime.settle();
  }

  pass(ms: number): Promise<void> {
    return this.runtime.pass(ms);
  }

  /** Binds the one, connects the others, and waits until all have met. */
  async join(bound: AnySocket, ...dialing: AnySocket[]): Promise<void> {
    await bound.bind("here");
    for (const socket of dialing) await socket.connect("here");
    await this.settle();
  }

  /** A raw end that dialed a socket here. */
  async rawDial(address = "here"): Promise<RawEnd> {
    const link = await this.network.dial(address, new AbortController().signal);
    return this.#ownRaw(new RawEnd(link));
  }

  /** What dials the address is given to the list as a raw end. */
  async rawListen(address = "here"): Promise<RawEnd[]> {
    const ends: RawEnd[] = [];
    const onLink = (link: Link): void => void ends.push(this.#ownRaw(new RawEnd(link)));
    await this.network.listen(address, { onLink, onError: () => {}, onRefused: () => {} });
    return ends;
  }

  /** Closes everything, and fails when anything is left. */
  async takeDown(): Promise<void> {
    const closing = this.#sockets.map((socket) => socket.close({ lingerMs: 0 }));
    for (const end of this.#raw) end.link.destroy();
    await this.settle();
    // A socket that the test closed itself may still be within its linger.
    await this.pass(5_000);
    await Promise.all(closing);
    await this.settle();
    assert.deepEqual(this.runtime.timersInMs, [], "timers left when all sockets are closed");
    assert.equal(this.network.openPairs.length, 0, "links left when all sockets are closed");
  }

  /** Takes a socket in, to be closed with the others. */
  own<S extends AnySocket>(socket: S): S {
    this.#sockets.push(socket);
    return socket;
  }

  #ownRaw(end: RawEnd): RawEnd {
    this.#raw.push(end);
    return end;
  }
}

/** One end of a link, by hand. */
export class RawEnd {
  readonly link: Link;
  readonly #chunks: Uint8Array[] = [];
  hasEnded = false;
  isClosed = false;

  constructor(link: Link) {
    this.link = link;
    link.start({
      onData: (chunk) => void this.#chunks.push(new Uint8Array(chunk)),
      onDrain: () => {},
      onEnd: () => void (this.hasEnded = true),
      onClose: () => void (this.isClosed = true),
    });
  }

  /** Everything that came. */
  get received(): Uint8Array {
    return joinBytes(this.#chunks);
  }

  get isOver(): boolean {
    return this.hasEnded || this.isClosed;
  }

  /** Everything that came, as the naive decoder sees it. */
  decode(reader: NaiveReader): NaiveDecoded {
    return naiveDecode(this.received, reader);
  }

  frames(role: NaiveReader["role"]): readonly NaiveFrame[] {
    return this.decode({ role }).frames;
  }

  send(...frames: NaiveFrame[]): void {
    this.link.write([joinBytes(frames.map(naiveEncode))]);
  }

  hex(literal: string): void {
    this.link.write([bytes(literal)]);
  }

  request(id: number, payload: string | Uint8Array, compression = 0): void {
    this.send({ type: "request", id, compression, payload: asBytes(payload) });
  }

  reply(id: number, payload: string | Uint8Array, compression = 0): void {
    this.send({ type: "reply", id, compression, payload: asBytes(payload) });
  }

  message(topic: string, sequence: number, payload = ""): void {
    const rest = { sequence, compression: 0, timeMicros: 0, payload: asBytes(payload) };
    this.send({ type: "message", topic, ...rest });
  }

  subscribe(topic: string): void {
    this.send({ type: "subscribe", topic, timeMicros: 0 });
  }

  unsubscribe(topic: string): void {
    this.send({ type: "unsubscribe", topic, timeMicros: 0 });
  }
}

/** UTF-8. */
function asBytes(payload: string | Uint8Array): Uint8Array {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}

/** What a promise came to, as far as it did. */
export class Outcome<T> {
  value: T | undefined;
  error: unknown;
  isSettled = false;

  constructor(promise: Promise<T>) {
    promise.then(
      (value) => {
        this.value = value;
        this.isSettled = true;
      },
      (error: unknown) => {
        this.error = error;
        this.isSettled = true;
      },
    );
  }

  /** The code it was rejected with. */
  get code(): unknown {
    const { error } = this;
    return error instanceof Error && "code" in error ? error.code : undefined;
  }
}
