import type { CloseReport, Payload, Transport, WaitOptions } from "@msg-ts/core";
import type { LazyError } from "@msg-ts/core/building";
import { checkBoolean, WaiterList } from "@msg-ts/core/building";
import { OutgoingMessages } from "./outgoing.ts";
import type { Parts, SharingOptions } from "./parts-options.ts";
import type { PartsPeer } from "./parts-peer.ts";
import { PartsSocket } from "./parts-socket.ts";

/** How one message is sent. */
export interface PartsSendOptions extends WaitOptions {
  /**
   * Copies the parts, so that the caller may change them after the call.
   *
   * @defaultValue false
   */
  readonly copy?: boolean | undefined;
}

const noOptions: PartsSendOptions = {};

/** What DEALER and PAIR share: each message goes to one peer, which one it is does not matter. */
export abstract class SharingSocket extends PartsSocket {
  readonly #peers: PartsPeer[] = [];
  readonly #outgoing: OutgoingMessages;
  readonly #empty: WaiterList<void>;
  /** Where the search for a peer begins, so that they take turns. */
  #turn = 0;

  /** @internal */
  protected constructor(type: string, transport: Transport, options: SharingOptions) {
    super(type, transport, options);
    const { immediate = false } = options;
    checkBoolean("immediate", immediate);
    const { conflate } = this.partsOptions;
    this.#empty = new WaiterList(this.runtime);
    this.#outgoing = new OutgoingMessages({
      runtime: this.runtime,
      options: this.partsOptions,
      give: (parts) => this.#give(parts),
      mayQueue: () =>
        (!immediate && this.endpoints.isDialing) || (conflate && this.#peers.length > 0),
      onConflated: () => this.countDrop("conflated", 1),
    });
    this.#outgoing.onEmpty = () => this.#empty.resolveAll();
  }

  /**
   * Sends a message to the next peer that has room. Gives `undefined` when it was accepted: a peer
   * has it, or it waits for one within the high-water mark; else a promise that resolves when it is.
   *
   * The promise rejects with `MSG_TIMEOUT`, `MSG_CLOSED` or the signal's reason; a rejection that
   * nobody awaits does not end the process.
   *
   * @param message - bytes must not be changed afterwards, unless `copy` is set.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`,
   *   `MSG_HIGH_WATER_MARK`
   */
  send(message: Parts, options: PartsSendOptions = noOptions): undefined | Promise<void> {
    const parts = this.outgoing(message, options.copy);
    return this.#outgoing.send(parts, options) ?? this.spend(parts);
  }

  /**
   * Sends a message if it can be accepted now, and nothing waits before it.
   *
   * @returns false when it was not.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`
   */
  trySend(message: Payload | readonly Payload[]): boolean {
    return this.#outgoing.trySend(this.outgoing(message));
  }

  /** Whether `trySend` would accept a message now. */
  get isWritable(): boolean {
    if (this.isClosed) return false;
    return this.#outgoing.hasRoom || (this.unsent === 0 && this.#peers.some((one) => one.hasRoom));
  }

  /** @internal */
  override onRoom(): void {
    this.#outgoing.pump();
  }

  protected override get unsent(): number {
    return this.#outgoing.size;
  }

  protected override onPeerReady(peer: PartsPeer): void {
    this.#peers.push(peer);
    this.#outgoing.pump();
  }

  protected override onPeerClosed(peer: PartsPeer): void {
    const index = this.#peers.indexOf(peer);
    if (index >= 0) this.#peers.splice(index, 1);
    this.#outgoing.giveBack(peer.takeBack());
  }

  protected override get finishesWithNewPeers(): boolean {
    return this.#outgoing.size > 0;
  }

  protected override get needsPeersToDrain(): boolean {
    return this.#outgoing.size > 0;
  }

  protected override async finishAll(timeoutMs: number): Promise<void> {
    if (this.#outgoing.size > 0) await this.#empty.waitAtMost(timeoutMs);
  }

  protected override async finish(lingerMs: number): Promise<void> {
    await super.finish(lingerMs);
    await this.finishAll(lingerMs);
  }

  protected override onClosed(error: LazyError): CloseReport {
    super.onClosed(error);
    return { unsent: this.#outgoing.close(error()), unacknowledged: 0 };
  }

  #give(parts: readonly Uint8Array[]): boolean {
    const peers = this.#peers;
    for (let i = 0, index = this.#turn; i < peers.length; i++, index++) {
      if (index >= peers.length) index = 0;
      const peer = peers[index];
      if (peer?.hasRoom !== true) continue;
      this.#turn = index + 1;
      peer.give(parts);
      this.countSent(parts);
      return true;
    }
    return false;
  }

  /** @internal The peers that are ready. */
  protected get readyPeers(): readonly PartsPeer[] {
    return this.#peers;
  }
}
