import type { Connection, LazyError, Settler } from "@msg-ts/core/building";
import { copyOf, ReceivingSocket, TurnBudget, ValueCodec } from "@msg-ts/core/building";
import type {
  CloseReport,
  ConsumeOptions,
  Consumer,
  PeerInfo,
  SocketStats,
  Transport,
} from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Command } from "../wire/command.ts";
import { zmtpOfSockets } from "../zmtp.ts";
import type { PartsOptions, ResolvedPartsOptions } from "./parts-options.ts";
import { bytesOf, partsOfMessage, resolvePartsOptions } from "./parts-options.ts";
import type { Parts } from "./parts-options.ts";
import { PartsMessage } from "./parts-message.ts";
import type { PartsHandlers } from "./parts-peer.ts";
import { PartsPeer } from "./parts-peer.ts";

/** What sockets of messages of parts count. */
export interface PartsStats extends SocketStats {
  /** Messages received that the application has not taken. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** Messages accepted, or waiting to be, that no peer has. */
  readonly unsent: number;
}

const noCodec = new ValueCodec(undefined, []);

/** What a message costs beside its parts, so that a loop of empty ones takes turns too. */
const messageOverheadBytes = 64;

/**
 * What DEALER, ROUTER, PAIR, XPUB and XSUB share: messages of parts, received fairly from all peers
 * by `for await`, `receive()`, batches or a callback.
 */
export abstract class PartsSocket
  extends ReceivingSocket<PartsPeer, PartsMessage>
  implements PartsHandlers
{
  /** @internal */
  protected override readonly settler: Settler<PartsMessage> = {
    accept: () => {},
    giveBack: () => {},
  };
  /** @internal */
  protected readonly partsOptions: ResolvedPartsOptions;
  /** @internal */
  protected readonly budget: TurnBudget;

  /** @internal */
  protected constructor(type: string, transport: Transport, options: PartsOptions) {
    const resolved = resolvePartsOptions(options);
    // The high-water mark of the same name is one of PUSH: it has another range.
    const protocol = zmtpOfSockets({ ...options, sendHighWaterMark: undefined });
    super(type, transport, { ...options, protocol }, noCodec, {
      maxMessages: resolved.receiveHighWaterMark,
      maxBytes: resolved.maxQueuedBytes,
    });
    this.partsOptions = resolved;
    this.budget = new TurnBudget(this.runtime);
  }

  /**
   * Has every message handled by a callback, in the order of arrival. When it throws, or its promise
   * rejects, the event `error` tells why, and the next message follows.
   *
   * @throws MsgError `MSG_INVALID_STATE` when there is a callback already, `MSG_CLOSED`,
   *   `MSG_INVALID_OPTION`
   */
  consume(
    handler: (message: PartsMessage) => void | Promise<void>,
    options: Omit<ConsumeOptions, "lend"> = {},
  ): Consumer {
    const { concurrency } = options;
    const taken = concurrency === undefined ? {} : { concurrency };
    return this.consumeWith(handler, taken, (error) => this.reportHandlerError(error));
  }

  override stats(): PartsStats {
    return {
      ...this.commonStats(),
      queued: this.queue.size,
      queuedBytes: this.queue.bytes,
      unsent: this.unsent,
    };
  }

  /** @internal Messages that no peer has. */
  protected abstract get unsent(): number;

  /** @internal */
  onMessage(peer: PartsPeer, parts: readonly Uint8Array[]): void {
    this.messages.received++;
    if (this.partsOptions.conflate) this.#conflate(peer);
    this.queue.push(peer.source, new PartsMessage(this.incoming(peer, parts), peer.info));
  }

  /** @internal */
  onCommand(_peer: PartsPeer, _command: Command): boolean {
    return false;
  }

  /** @internal */
  onRoom(_peer: PartsPeer): void {}

  /** @internal What the application sees of a message. */
  protected incoming(_peer: PartsPeer, parts: readonly Uint8Array[]): readonly Uint8Array[] {
    return parts;
  }

  /**
   * @internal The parts of what the application sends.
   *
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`
   */
  protected outgoing(message: Parts, copy = false): readonly Uint8Array[] {
    this.assertOpen();
    const parts = partsOfMessage(message);
    const bytes = bytesOf(parts);
    const { maxMessageBytes } = this.options;
    if (bytes > maxMessageBytes) {
      const text = `message has ${bytes} bytes, maxMessageBytes is ${maxMessageBytes}`;
      throw new MsgError("MSG_PAYLOAD_TOO_LARGE", text);
    }
    return copy ? parts.map((part) => copyOf(part)) : parts;
  }

  /** @internal Counts a message that a peer was given; gives the promise of the next turn if need be. */
  protected spend(parts: readonly Uint8Array[]): Promise<void> | undefined {
    return this.budget.spend(bytesOf(parts) + messageOverheadBytes);
  }

  /** @internal */
  protected countSent(parts: readonly Uint8Array[]): void {
    const bytes = bytesOf(parts);
    this.messages.onSent(bytes, bytes);
  }

  #conflate(peer: PartsPeer): void {
    const older = this.queue.clearSource(peer.source).length;
    if (older > 0) this.countDrop("conflated", older);
  }

  protected override onUndecodable(): void {}

  protected override createPeer(connection: Connection, info: PeerInfo): PartsPeer {
    return new PartsPeer(info, connection, this.wireContext(connection), this.partsOptions, this);
  }

  protected override onPeerReady(_peer: PartsPeer): void {}

  protected override onPeerClosed(_peer: PartsPeer, _reason: MsgError | undefined): void {}

  protected override get isFinished(): boolean {
    return this.unsent === 0;
  }

  protected override async finishAll(_timeoutMs: number): Promise<void> {}

  protected override async finish(_lingerMs: number): Promise<void> {
    void this.stopConsumer();
  }

  protected override onClosed(_error: LazyError): CloseReport {
    this.queue.close();
    return { unsent: 0, unacknowledged: 0 };
  }
}
