import { MsgError } from "../../errors.ts";
import type { LazyError } from "../../lazy-error.ts";
import { lazyError } from "../../lazy-error.ts";
import type { Runtime } from "../../runtime.ts";
import type { Compression, WirePayload } from "../../wire/compression.ts";
import type { CloseReport } from "../events.ts";
import type { DurationStats } from "../histogram.ts";
import { DurationHistogram } from "../histogram.ts";
import { LinkedQueue } from "../linked-queue.ts";
import { Message } from "../message.ts";
import type { ReplyHandlers, ReqPeer } from "./req-peer.ts";
import type { ResolvedReqOptions } from "./req-options.ts";
import type { PendingRequest } from "./request-table.ts";
import { RequestTable } from "./request-table.ts";
import type { MessageCounters } from "../stats.ts";
import type { ValueCodec } from "../value-codec.ts";
import { abortReason, quietly, WaiterList } from "../waiter-list.ts";

type Pending = PendingRequest<ReqPeer>;

/** What the dispatcher needs of its socket. */
export interface DispatcherContext {
  readonly runtime: Runtime;
  readonly options: ResolvedReqOptions;
  readonly codec: ValueCodec;
  readonly compression: Compression;
  readonly messages: MessageCounters;
  /** A peer said goodbye. */
  onDraining(peer: ReqPeer): void;
  /** A reply came that nobody waits for. */
  onUnexpectedReply(peer: ReqPeer, payload: Uint8Array | undefined): void;
}

/** Where a REQ's requests are, and what became of them. */
export interface RequestCounts {
  /** Requests at a peer, unanswered. */
  readonly inFlight: number;
  /** Requests that have no end yet, wherever they are. */
  readonly pending: number;
  /** Requests that wait for a peer. */
  readonly queued: number;
  readonly queuedBytes: number;
  readonly timeouts: number;
  /** From when a request was written to when its answer came. */
  readonly roundTrip: DurationStats;
}

/**
 * Every request from the call to its end: which peer gets it, what waits, and what becomes of it
 * when its answer, its deadline, its signal or the loss of its peer comes.
 *
 * A request is in exactly one place: being compressed, in the queue, or in flight at one peer; and
 * always in the table, until it ends.
 */
export class RequestDispatcher implements ReplyHandlers {
  readonly #context: DispatcherContext;
  readonly #options: ResolvedReqOptions;
  readonly #table: RequestTable<ReqPeer>;
  /** The peers that are ready, in the order in which they became so. */
  readonly #peers: ReqPeer[] = [];
  /** Requests that wait for a peer, oldest first. */
  readonly #queue: LinkedQueue<Pending> = new LinkedQueue();
  readonly #roundTrip: DurationHistogram = new DurationHistogram();
  readonly #idle: WaiterList<void>;
  #queuedBytes = 0;
  /** What a compressor works on, also for requests that have ended meanwhile. */
  #compressing = 0;
  #compressingBytes = 0;
  #inFlight = 0;
  #timeouts = 0;
  /** Set when the socket closes: what has no peer cannot wait for one any more. */
  #closed: LazyError | undefined;
  #unsentAtClose = 0;
  #unansweredAtClose = 0;

  constructor(context: DispatcherContext) {
    this.#context = context;
    this.#options = context.options;
    this.#table = new RequestTable(context.runtime, (request) => this.#onTimeout(request));
    this.#idle = new WaiterList(context.runtime);
  }

  get counts(): RequestCounts {
    return {
      inFlight: this.#inFlight,
      pending: this.#table.size,
      queued: this.#queue.size,
      queuedBytes: this.#queuedBytes,
      timeouts: this.#timeouts,
      roundTrip: this.#roundTrip.stats(),
    };
  }

  /**
   * Takes a request; its promise tells the end. Rejects with `MSG_NO_PEER` or `MSG_HIGH_WATER_MARK`
   * when it cannot be taken now. (Flat, and with plain arguments: bench scenario req-rep-1.)
   */
  submit(
    bytes: Uint8Array,
    timeoutMs: number,
    retry: boolean,
    failFast: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Message<unknown>> {
    const { compression } = this.#context;
    const peer = this.#waiting === 0 ? this.#peerWithRoom() : undefined;
    if (peer === undefined) {
      const refusal = this.#refusal(bytes, failFast);
      if (refusal !== undefined) return quietly(Promise.reject(refusal));
    }
    const request = this.#table.add(bytes, timeoutMs, retry);
    if (signal !== undefined) {
      this.#table.watch(signal, request, () => this.#giveUp(request, abortReason(signal)));
    }
    if (peer !== undefined && !compression.applies(bytes.length)) this.#send(request, peer);
    else {
      // It may wait for a peer: no flush comes that would tell its time.
      this.#table.stamp();
      this.#compress(request);
    }
    return request.promise;
  }

  onPeerReady(peer: ReqPeer): void {
    this.#peers.push(peer);
    this.#pump();
  }

  onBeforeFlush(): void {
    this.#table.stamp();
  }

  onWritable(): void {
    this.#pump();
  }

  /** What the lost peer had not answered ends, or goes elsewhere where that does no harm. */
  onPeerClosed(peer: ReqPeer, reason: MsgError | undefined): void {
    // What was not flushed has a time all the same.
    this.#table.stamp();
    this.#peers.splice(this.#peers.indexOf(peer), 1);
    const { sentBytes } = peer.connection.outbox;
    const lost = this.#table.filter((request) => request.target === peer);
    // Youngest first, so that they stand at the head of the queue in their old order.
    for (const request of lost.toReversed()) {
      const didNotRun = peer.hasFinished || request.endsAtByte > sentBytes;
      if (didNotRun || request.retry) this.#requeue(request);
      else if (this.#closed !== undefined && reason === undefined) this.#endAtClose(request);
      else this.#end(request, peerLost(peer, reason));
    }
    this.#pump();
  }

  onReply(
    peer: ReqPeer,
    id: number,
    payload: Uint8Array,
    parts: readonly Uint8Array[] | undefined,
  ): void {
    const request = this.#table.find(id);
    if (request === undefined || request.target !== peer) {
      this.#context.onUnexpectedReply(peer, payload);
      return;
    }
    this.#context.messages.received++;
    this.#roundTrip.add(peer.decoder.now() - request.sentAt.ms);
    const reply = new Message<unknown>(payload, peer.info);
    if (parts !== undefined) reply.multipart = parts;
    const error = this.#context.codec.decode(reply);
    if (error !== undefined) {
      this.#end(request, error);
      return;
    }
    this.#leavePeer(request);
    this.#table.remove(request);
    request.resolve(reply);
    this.#afterEnd();
  }

  onReplyError(peer: ReqPeer, id: number, error: MsgError): void {
    const request = this.#table.find(id);
    if (request?.target === peer) this.#end(request, error);
    else this.#context.onUnexpectedReply(peer, undefined);
  }

  onDraining(peer: ReqPeer): void {
    this.#context.onDraining(peer);
  }

  onFinished(peer: ReqPeer): void {
    for (const request of this.#table.filter(({ target }) => target === peer).toReversed()) {
      this.#requeue(request);
    }
    this.#pump();
  }

  onReplyRefused(peer: ReqPeer, id: number): void {
    const request = this.#table.find(id);
    if (request?.target !== peer) return;
    this.#requeue(request);
    this.#pump();
  }

  /** Rejects what waits for a peer. */
  rejectQueued(error: MsgError): void {
    for (const request of this.#table.filter(({ target }) => target === undefined)) {
      this.#end(request, error);
    }
  }

  /** Rejects what waits for a peer, and what comes back to wait for one. */
  startDraining(error: LazyError): void {
    this.#closed ??= lazyError(error);
    for (const request of this.#table.filter(({ target }) => target === undefined)) {
      this.#endAtClose(request);
    }
  }

  /** Whether every request has its end. */
  get isIdle(): boolean {
    return this.#table.size === 0;
  }

  /** Waits until every request has its end, at most `timeoutMs`. */
  async whenIdle(timeoutMs: number): Promise<void> {
    if (!this.isIdle) await this.#idle.waitAtMost(timeoutMs);
  }

  /** Rejects everything. */
  rejectAll(error: LazyError): CloseReport {
    this.startDraining(error);
    for (const request of this.#table.filter(() => true)) this.#endAtClose(request);
    this.#table.close();
    this.#idle.resolveAll();
    return { unsent: this.#unsentAtClose, unacknowledged: this.#unansweredAtClose };
  }

  /** What is being compressed has no peer yet: it waits, whoever has room. */
  get #waiting(): number {
    return this.#queue.size + this.#compressing;
  }

  /** Why a request that cannot be sent at once cannot wait either, if so. */
  #refusal(bytes: Uint8Array, failFast: boolean): MsgError | undefined {
    if (failFast && this.#peers.length === 0) {
      return new MsgError("MSG_NO_PEER", "no peer is connected and failFast is set");
    }
    const waiting = this.#waiting;
    const { maxQueued, maxQueuedBytes } = this.#options;
    if (waiting >= maxQueued) {
      return new MsgError(
        "MSG_HIGH_WATER_MARK",
        `${waiting} requests wait, maxQueued is ${maxQueued}`,
      );
    }
    const total = this.#queuedBytes + this.#compressingBytes + bytes.length;
    if (total === bytes.length || total <= maxQueuedBytes) return undefined;
    const text = `${total} bytes would wait, maxQueuedBytes is ${maxQueuedBytes}`;
    return new MsgError("MSG_HIGH_WATER_MARK", text);
  }

  #compress(request: Pending): void {
    try {
      const result = this.#context.compression.compress(request.payload);
      if (!(result instanceof Promise)) {
        this.#onCompressed(request, result);
        return;
      }
      const { plainBytes } = request;
      this.#compressing++;
      this.#compressingBytes += plainBytes;
      const onEnd = (): void => {
        this.#compressing--;
        this.#compressingBytes -= plainBytes;
      };
      result.then(
        (payload) => {
          onEnd();
          this.#onCompressed(request, payload);
        },
        (error: MsgError) => {
          onEnd();
          this.#end(request, error);
        },
      );
    } catch (error) {
      this.#end(request, error as MsgError);
    }
  }

  /** The order of requests is not promised, so one that took longer to compress may come later. */
  #onCompressed(request: Pending, { compression, bytes }: WirePayload): void {
    if (this.#table.find(request.id) !== request) return;
    request.compression = compression;
    request.payload = bytes;
    const peer = this.#queue.size === 0 ? this.#peerWithRoom() : undefined;
    if (peer !== undefined) this.#send(request, peer);
    else {
      this.#queue.append(request);
      this.#queuedBytes += request.payload.length;
    }
  }

  /** The ready peer with the fewest requests in flight; among equals, the one connected longest. */
  #peerWithRoom(): ReqPeer | undefined {
    let best: ReqPeer | undefined;
    for (const peer of this.#peers) {
      if (!peer.hasRoom(this.#options.maxInFlight)) continue;
      if (best === undefined || peer.inFlight < best.inFlight) best = peer;
    }
    return best;
  }

  #send(request: Pending, peer: ReqPeer): void {
    const { outbox } = peer.connection;
    peer.writer.request(request.id, request.compression, request.payload);
    request.target = peer;
    request.endsAtByte = outbox.appendedBytes;
    request.sentAt = this.#table.useMoment();
    peer.inFlight++;
    this.#inFlight++;
    this.#context.messages.onSent(request.plainBytes, request.payload.length);
  }

  #pump(): void {
    while (this.#queue.first !== undefined) {
      const peer = this.#peerWithRoom();
      if (peer === undefined) return;
      const request = this.#queue.first;
      this.#leaveQueue(request);
      this.#send(request, peer);
    }
  }

  #requeue(request: Pending): void {
    if (this.#closed !== undefined) return this.#endAtClose(request);
    this.#leavePeer(request);
    this.#queue.prepend(request);
    this.#queuedBytes += request.payload.length;
  }

  #leaveQueue(request: Pending): void {
    if (this.#queue.remove(request)) this.#queuedBytes -= request.payload.length;
  }

  #leavePeer(request: Pending): void {
    const peer = request.target;
    if (peer === undefined) return;
    request.target = undefined;
    peer.inFlight--;
    this.#inFlight--;
  }

  #end(request: Pending, error: Error): void {
    this.#leaveQueue(request);
    this.#leavePeer(request);
    this.#table.reject(request, error);
    this.#afterEnd();
  }

  #endAtClose(request: Pending): void {
    if (request.target === undefined) this.#unsentAtClose++;
    else this.#unansweredAtClose++;
    this.#end(request, this.#closed?.() ?? new MsgError("MSG_CLOSED", "this REQ was closed"));
  }

  #afterEnd(): void {
    if (this.#queue.size > 0) this.#pump();
    if (this.#table.size === 0 && this.#idle.size > 0) this.#idle.resolveAll();
  }

  #onTimeout(request: Pending): void {
    this.#timeouts++;
    const where = request.target === undefined ? "no peer took it" : "no answer came";
    const text = `request took over ${request.timeoutMs} ms: ${where}`;
    this.#giveUp(request, new MsgError("MSG_TIMEOUT", text));
  }

  /** Nobody waits for its answer any more, which may still come. */
  #giveUp(request: Pending, error: Error): void {
    const { target, id } = request;
    this.#end(request, error);
    target?.writer.abandon?.(id);
  }
}

function peerLost(peer: ReqPeer, cause: MsgError | undefined): MsgError {
  const text = `${peer.info.transport} peer ${peer.info.address} was lost before it answered`;
  return new MsgError("MSG_PEER_LOST", text, cause === undefined ? {} : { cause });
}
