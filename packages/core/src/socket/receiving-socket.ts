import { describe } from "../bytes.ts";
import type { Connection } from "../connection/connection.ts";
import type { WireContext } from "../contracts/protocol.ts";
import type { Transport } from "../contracts/transport.ts";
import { MsgError } from "../errors.ts";
import { checkBoolean, checkIntegerOrInfinity } from "../option-checks.ts";
import type { Message } from "./message.ts";
import type { Peer } from "./peer.ts";
import type { ReceiveLimits, ReceiveSource } from "./receive-queue.ts";
import { ReceiveQueue } from "./receive-queue.ts";
import type { Consumer } from "./calling-consumer.ts";
import type { Settler } from "./receivers.ts";
import { QueueConsumer, receiveOne, ReceiveIterator } from "./receivers.ts";
import { Socket } from "./socket.ts";
import type { SocketOptions } from "./socket-options.ts";
import type { ValueCodec } from "./value-codec.ts";
import type { WaitOptions } from "./waiter-list.ts";

/** How a callback is called. */
export interface ConsumeOptions {
  /**
   * How many calls may be under way at a time, when the callback returns promises.
   *
   * 1 or more, or `Infinity`.
   *
   * @defaultValue 1, so that messages are handled in their order
   */
  readonly concurrency?: number | undefined;

  /**
   * Lends payloads instead of giving them: the bytes are valid until the callback returns, not when
   * its promise settles, and are overwritten by what comes next. What it keeps it copies. This saves
   * the memory of every large message (bench scenario: push-pull, style `lent`).
   *
   * @defaultValue false
   */
  readonly lend?: boolean | undefined;
}

/** How many items an iteration in batches yields at a time. */
export interface BatchOptions {
  /**
   * 1 or more.
   *
   * @defaultValue 1_024
   */
  readonly maxMessages?: number | undefined;
}

/** A peer of whom messages wait here. */
interface SourcePeer<M> extends Peer {
  readonly source: ReceiveSource<M>;
}

/**
 * What the three sockets share that receive by their own pace: `for await`, `receive()`, batches
 * and a callback, all on one queue that is fair over peers and bounded for each of them.
 */
export abstract class ReceivingSocket<P extends SourcePeer<M>, M extends Message<unknown>>
  extends Socket<P>
  implements AsyncIterable<M>
{
  /** @internal */
  protected readonly queue: ReceiveQueue<M>;
  #consumer: Consumer | undefined;
  #isLending = false;

  /** @internal */
  protected constructor(
    type: string,
    transport: Transport,
    options: SocketOptions,
    codec: ValueCodec,
    limits: ReceiveLimits,
  ) {
    super(type, transport, options, codec);
    const admit = codec.isRaw ? undefined : (item: M): boolean => this.#admit(item);
    this.queue = new ReceiveQueue(limits, () => this.#sources(), admit);
  }

  /** @internal What happens to an item when its consumer is done with it. */
  protected abstract readonly settler: Settler<M>;

  /** @internal The codec can make no value of an item: nobody gets it. */
  protected abstract onUndecodable(item: M, error: MsgError): void;

  /**
   * Takes the next message, waiting for it. A job taken so is acknowledged by its own `ack()` only.
   *
   * Rejects with `MSG_TIMEOUT`, `MSG_CLOSED`, or the signal's reason.
   */
  receive(options: WaitOptions = {}): Promise<M> {
    this.assertNotClosed();
    return receiveOne(this.queue, this.runtime, options);
  }

  /** Messages one by one, until the socket is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<M> {
    return new ReceiveIterator<M, M>(
      this.queue,
      (queue) => queue.take(),
      (item, isAccepted) => this.#settle(item, isAccepted),
    );
  }

  /** Messages in arrays of all that have arrived: the fast way to iterate. Until the socket is closed. */
  batches({ maxMessages = 1_024 }: BatchOptions = {}): AsyncIterableIterator<readonly M[]> {
    checkIntegerOrInfinity("maxMessages", maxMessages, 1);
    return new ReceiveIterator<M, readonly M[]>(
      this.queue,
      (queue) => {
        const items = queue.takeMany(maxMessages);
        return items.length === 0 ? undefined : items;
      },
      (items, isAccepted) => {
        for (const item of items) this.#settle(item, isAccepted);
      },
    );
  }

  /** @internal @throws MsgError `MSG_INVALID_STATE` when there is a callback already. */
  protected consumeWith(
    handler: (item: M) => unknown,
    options: ConsumeOptions,
    onError: (error: unknown, item: M) => void,
  ): Consumer {
    const { concurrency = 1 } = options;
    return this.useConsumer(handler, options, () => {
      return new QueueConsumer(this.queue, handler, concurrency, this.settler, onError);
    });
  }

  /** @internal As {@link consumeWith}, with a consumer of the pattern's own. */
  protected useConsumer(
    handler: unknown,
    { concurrency = 1, lend = false }: ConsumeOptions,
    make: () => Consumer,
  ): Consumer {
    this.assertNotClosed();
    checkHandler(handler);
    checkIntegerOrInfinity("concurrency", concurrency, 1);
    checkBoolean("lend", lend);
    if (this.#consumer !== undefined) {
      const text = `this ${this.type} has a callback already: stop() it first`;
      throw new MsgError("MSG_INVALID_STATE", text);
    }
    const consumer = make();
    this.#consumer = consumer;
    this.#setLending(lend);
    return {
      stop: () => {
        if (this.#consumer === consumer) {
          this.#consumer = undefined;
          this.#setLending(false);
        }
        return consumer.stop();
      },
    };
  }

  /** What has come is for nobody any more. */
  protected override abandon(): void {
    void this.stopConsumer();
  }

  /** @internal Calls of the callback that are under way have ended. */
  protected async stopConsumer(): Promise<void> {
    await this.#consumer?.stop();
  }

  /** @internal Whether payloads are lent to the callback. */
  protected get isLending(): boolean {
    return this.#isLending;
  }

  /** @internal Reports what a callback threw. */
  protected reportHandlerError(cause: unknown): void {
    const error = new MsgError("MSG_HANDLER_FAILED", `a callback of this ${this.type} threw`, {
      cause,
    });
    this.emit("error", { error });
  }

  protected override wireContext(connection: Connection): WireContext {
    connection.setLending(this.#isLending);
    return super.wireContext(connection);
  }

  /** Of the peers that are there. */
  *#sources(): Generator<ReceiveSource<M>> {
    for (const { source } of this.endpoints.peers) yield source;
  }

  #setLending(isLending: boolean): void {
    if (isLending === this.#isLending) return;
    this.#isLending = isLending;
    for (const { connection } of this.endpoints.peers) connection.setLending(isLending);
  }

  /** Decoding waits until somebody takes the item: what is queued costs its bytes, not its value. */
  #admit(item: M): boolean {
    const error = this.codec.decode(item);
    if (error === undefined) return true;
    this.onUndecodable(item, error);
    if (this.#isLending) item.detach();
    this.drop("unreadable", { peer: item.peer, error, payload: item.payload });
    return false;
  }

  #settle(item: M, isAccepted: boolean): void {
    if (isAccepted) this.settler.accept(item);
    else this.settler.giveBack(item);
  }
}

/** @throws MsgError `MSG_INVALID_ARGUMENT` */
function checkHandler(handler: unknown): void {
  if (typeof handler === "function") return;
  throw new MsgError("MSG_INVALID_ARGUMENT", `handler is ${describe(handler)}, must be a function`);
}
