import type { Message, Transport } from "@msg-ts/core";
import { multipart, ReqSocket } from "@msg-ts/core";
import { Deque, listenToAbort, unlistenToAbort, WaiterList } from "@msg-ts/core/building";
import { zmtp } from "../zmtp.ts";
import { CompatError } from "./compat-error.ts";
import type { Inner, Waiting } from "./inner.ts";
import { socketOptionsOf, zmtpOptionsOf } from "./inner-options.ts";
import type { Values } from "./options.ts";

/** How long the other side may take to end a connection of which nothing more is wanted. */
const takenLingerMs = 100;

/** A REQ that nobody can ask for answers once it is closed: it does not wait for them. */
class AskingSocket extends ReqSocket {
  readonly #sent: WaiterList<void> = new WaiterList(this.runtime);

  protected override get finishesWithNewPeers(): boolean {
    return this.stats().queued > 0;
  }

  protected override onPeerReady(peer: Parameters<ReqSocket["onPeerReady"]>[0]): void {
    super.onPeerReady(peer);
    if (this.isClosed && this.stats().queued === 0) this.#sent.resolveAll();
  }

  /** What was asked is sent within `lingerMs`, also to a peer that comes meanwhile. */
  protected override async finish(lingerMs: number): Promise<void> {
    if (this.stats().queued > 0) await this.#sent.waitAtMost(lingerMs);
    for (const { connection } of this.endpoints.peers) {
      connection.close(lingerMs, undefined, takenLingerMs);
    }
  }
}

/** A request, and what came of it. */
interface Asked {
  answer?: Message;
  error?: unknown;
  /** Ends it, when a later one takes its place. */
  readonly giveUp?: AbortController;
}

/** Request: each `receive` waits for the answer to the oldest `send` that has none yet. */
export class RequestInner implements Inner {
  readonly socket: ReqSocket;
  readonly #isImmediate: boolean;
  readonly #isRelaxed: boolean;
  readonly #asked: Deque<Asked> = new Deque();
  /** Receivers wait one behind the other: answers come in the order of the requests. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Set while the first of them waits. */
  #wake: () => void = () => {};

  constructor(transport: Transport, values: Values) {
    const { correlate, immediate, relaxed } = values;
    this.#isImmediate = immediate;
    this.#isRelaxed = relaxed;
    this.socket = new AskingSocket(transport, {
      ...socketOptionsOf(values),
      protocol: zmtp({ ...zmtpOptionsOf(values), correlate }),
      timeoutMs: Infinity,
    });
  }

  get isReadable(): boolean {
    const first = this.#asked.peek();
    return first?.answer !== undefined || first?.error !== undefined;
  }

  get isWritable(): boolean {
    return !this.#isImmediate || this.socket.peers.length > 0;
  }

  send(parts: readonly Uint8Array[], waiting: Waiting): undefined | Promise<void> {
    if (this.isWritable) return this.#ask(parts);
    return this.socket.ready(waiting).then(() => this.#ask(parts));
  }

  #ask(parts: readonly Uint8Array[]): undefined {
    const asked: Asked = this.#isRelaxed ? { giveUp: new AbortController() } : {};
    if (this.#isRelaxed) this.#giveUpAll();
    const answer = this.socket.request(multipart(parts), { signal: asked.giveUp?.signal });
    this.#asked.push(asked);
    void answer.then(
      (message) => this.#onAnswer(asked, { answer: message }),
      (error: unknown) => this.#onAnswer(asked, { error }),
    );
    this.#wake();
  }

  receive(options: Waiting): Promise<readonly Uint8Array[]> {
    const deadline = performance.now() + options.timeoutMs;
    const received = this.#turn.then(() => this.#next(deadline, options));
    this.#turn = received.catch(() => {});
    return received;
  }

  /** Answers to what was asked before are nobody's. */
  #giveUpAll(): void {
    for (let asked = this.#asked.shift(); asked !== undefined; asked = this.#asked.shift()) {
      asked.giveUp?.abort();
    }
  }

  #onAnswer(asked: Asked, outcome: Asked): void {
    Object.assign(asked, outcome);
    this.#wake();
  }

  /** An answer that does not come in time is left for the next call. */
  async #next(deadline: number, { signal, timeoutMs }: Waiting): Promise<readonly Uint8Array[]> {
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const first = this.#asked.peek();
      if (first !== undefined && this.isReadable) {
        this.#asked.shift();
        if (first.answer === undefined) throw first.error;
        return first.answer.parts;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new CompatError("EAGAIN", `no answer came within ${timeoutMs} ms`);
      await this.#sleep(leftMs, signal);
    }
  }

  /** Until something happens, or the time is over. */
  async #sleep(leftMs: number, signal: AbortSignal): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => this.#wake();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (leftMs !== Infinity) timer = setTimeout(resolve, leftMs);
      listenToAbort(signal, onAbort);
    });
    this.#wake = () => {};
    clearTimeout(timer);
    unlistenToAbort(signal, onAbort);
  }
}
