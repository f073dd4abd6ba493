import type { LazyError } from "@msg-ts/core/building";
import { checkBoolean, checkChoice, PrefixIndex } from "@msg-ts/core/building";
import type { CloseReport, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import { byteText } from "../patterns/byte-text.ts";
import type { SubscriptionChange } from "../patterns/subscriptions.ts";
import { changeOfCommand, changeOfMessage } from "../patterns/subscriptions.ts";
import type { Command } from "../wire/command.ts";
import type { Parts, PartsOptions } from "./parts-options.ts";
import type { PartsPeer } from "./parts-peer.ts";
import { PartsSocket } from "./parts-socket.ts";
import type { PartsSendOptions } from "./sharing-socket.ts";
import { WaitingSends } from "./waiting-sends.ts";

/** Which subscriptions an XPUB tells of. */
export type Verbosity = "edges" | "all-subscriptions" | "all";

/** What an XPUB may be told. */
export interface XPubOptions extends PartsOptions {
  /**
   * `edges` tells the first subscription to a prefix and the end of the last one;
   * `all-subscriptions` tells every subscription too, `all` every end as well.
   *
   * @defaultValue "edges"
   */
  readonly verbosity?: Verbosity | undefined;

  /**
   * Throws `MSG_HIGH_WATER_MARK`, and sends to nobody, when a subscriber does not read fast enough,
   * or waits for it where `send` is given a `timeoutMs`; else that one loses the message, which is
   * counted.
   *
   * @defaultValue false
   */
  readonly noDrop?: boolean | undefined;

  /**
   * How many prefixes one subscriber may ask for; the rest is ignored, with the event `dropped`.
   *
   * @defaultValue 65_536
   */
  readonly maxSubscriptionsPerPeer?: number | undefined;
}

const verbosities: readonly Verbosity[] = ["edges", "all-subscriptions", "all"];
const nobody: readonly never[] = [];
const noOptions: PartsSendOptions = {};

/** What a subscriber may have a socket keep: as many bytes as its prefixes, at most this. */
const maxPrefixBytesPerPeer = 16 * 1024 * 1024;

interface Subscriptions {
  readonly prefixes: Map<string, Uint8Array>;
  bytes: number;
}

/**
 * XPUB: publishes as PUB does, and receives subscriptions: messages of one part, a 1 or, for an end,
 * a 0, and the prefix.
 */
export class XPubSocket extends PartsSocket {
  readonly #index: PrefixIndex<PartsPeer> = new PrefixIndex();
  readonly #subscriptions: Map<PartsPeer, Subscriptions> = new Map();
  /** How many subscribers each prefix has. */
  readonly #counts: Map<string, number> = new Map();
  readonly #verbosity: Verbosity;
  readonly #isNoDrop: boolean;
  readonly #maxSubscriptions: number;
  readonly #waiting: WaitingSends;
  /** With `conflate`: what a subscriber gets when it has room. */
  readonly #newest: Map<PartsPeer, readonly Uint8Array[]> = new Map();

  constructor(transport: Transport, options: XPubOptions = {}) {
    super("XPUB", transport, options);
    const { verbosity = "edges", noDrop = false, maxSubscriptionsPerPeer = 65_536 } = options;
    checkChoice("verbosity", verbosity, verbosities);
    checkBoolean("noDrop", noDrop);
    this.#verbosity = verbosity;
    this.#isNoDrop = noDrop;
    this.#maxSubscriptions = maxSubscriptionsPerPeer;
    const { maxWaiting } = this.partsOptions;
    this.#waiting = new WaitingSends(this.runtime, maxWaiting, () => this.#waiting.pump());
  }

  /**
   * Publishes to everybody who subscribed to a beginning of the first part.
   *
   * @param options - with `noDrop`, a `timeoutMs` has the call wait until all subscribers have room.
   * @returns a promise when it waits or the event loop is to have its turn; `await` works on both.
   *   It rejects with `MSG_TIMEOUT`, `MSG_CLOSED` or the signal's reason.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`; with `noDrop`,
   *   `MSG_HIGH_WATER_MARK`
   */
  send(message: Parts, options: PartsSendOptions = noOptions): undefined | Promise<void> {
    const parts = this.outgoing(message, options.copy);
    if (this.#waiting.size === 0 && this.#publish(parts)) return this.spend(parts);
    if ((options.timeoutMs ?? 0) > 0) {
      const what = "not all subscribers had room";
      return this.#waiting.wait(() => this.#publish(parts), options, what);
    }
    throw new MsgError("MSG_HIGH_WATER_MARK", "some subscribers do not read fast enough");
  }

  /** @internal */
  override onRoom(peer: PartsPeer): void {
    const newest = this.#newest.get(peer);
    if (newest !== undefined && peer.hasRoom) {
      this.#newest.delete(peer);
      peer.give(newest);
    }
    this.#waiting.pump();
  }

  /** @internal */
  override onMessage(peer: PartsPeer, parts: readonly Uint8Array[]): void {
    const [first = new Uint8Array(0)] = parts;
    const change = changeOfMessage(first, parts.length > 1 ? parts : undefined);
    if (change !== undefined) this.#onChange(peer, change);
    // What an XSUB sends that is no subscription is a message to the application.
    else super.onMessage(peer, parts);
  }

  /** @internal */
  override onCommand(peer: PartsPeer, command: Command): boolean {
    const change = changeOfCommand(command);
    if (change !== undefined) this.#onChange(peer, change);
    return change !== undefined;
  }

  protected override get unsent(): number {
    return 0;
  }

  protected override onPeerClosed(peer: PartsPeer): void {
    const { prefixes } = this.#of(peer);
    for (const [text, prefix] of prefixes) this.#remove(peer, text, prefix);
    this.#subscriptions.delete(peer);
    this.#newest.delete(peer);
    this.#waiting.pump();
  }

  protected override onClosed(error: LazyError): CloseReport {
    this.#waiting.close(error());
    return super.onClosed(error);
  }

  /** Gives a message to all who want it; false when that has to wait for one of them. */
  #publish(parts: readonly Uint8Array[]): boolean {
    const [topic] = parts;
    const peers = topic === undefined ? nobody : this.#index.matchBytes(byteText(topic), nobody);
    const slow = peers.filter((peer) => !peer.hasRoom);
    if (this.#isNoDrop && slow.length > 0) return false;
    for (const peer of peers) if (peer.hasRoom) peer.give(parts);
    for (const peer of slow) this.#keepOrDrop(peer, parts);
    if (peers.length === 0) this.countDrop("no-subscriber", 1);
    this.countSent(parts);
    return true;
  }

  #keepOrDrop(peer: PartsPeer, parts: readonly Uint8Array[]): void {
    if (!this.partsOptions.conflate) {
      this.drop("slow-subscriber", { peer: peer.info });
      return;
    }
    if (this.#newest.has(peer)) this.countDrop("conflated", 1);
    this.#newest.set(peer, parts);
  }

  #of(peer: PartsPeer): Subscriptions {
    let found = this.#subscriptions.get(peer);
    if (found === undefined) {
      found = { prefixes: new Map(), bytes: 0 };
      this.#subscriptions.set(peer, found);
    }
    return found;
  }

  #onChange(peer: PartsPeer, { isSubscribe, prefix }: SubscriptionChange): void {
    const text = byteText(prefix);
    if (isSubscribe) this.#subscribe(peer, text, prefix);
    else this.#unsubscribe(peer, text, prefix);
  }

  /** A set for each peer: libzmq takes back once what it asked for several times. */
  #subscribe(peer: PartsPeer, text: string, prefix: Uint8Array): void {
    const own = this.#of(peer);
    const isKnown = own.prefixes.has(text);
    if (!isKnown) {
      if (own.prefixes.size >= this.#maxSubscriptions || own.bytes >= maxPrefixBytesPerPeer) {
        const why = `a subscriber asks for more than ${this.#maxSubscriptions} prefixes`;
        const error = new MsgError("MSG_TOO_MANY_SUBSCRIPTIONS", why);
        this.drop("ignored-frame", { peer: peer.info, error });
        return;
      }
      own.prefixes.set(text, prefix.slice());
      own.bytes += prefix.length + 64;
      this.#index.add(text, peer);
      this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1);
    }
    const isFirst = !isKnown && this.#counts.get(text) === 1;
    if (isFirst || this.#verbosity !== "edges") this.#tell(peer, 1, prefix);
  }

  #unsubscribe(peer: PartsPeer, text: string, prefix: Uint8Array): void {
    const own = this.#of(peer);
    if (!own.prefixes.delete(text)) return;
    own.bytes -= prefix.length + 64;
    this.#remove(peer, text, prefix);
  }

  #remove(peer: PartsPeer, text: string, prefix: Uint8Array): void {
    this.#index.remove(text, peer);
    const left = (this.#counts.get(text) ?? 1) - 1;
    if (left > 0) this.#counts.set(text, left);
    else this.#counts.delete(text);
    if (left === 0 || this.#verbosity === "all") this.#tell(peer, 0, prefix);
  }

  #tell(peer: PartsPeer, kind: number, prefix: Uint8Array): void {
    const message = new Uint8Array(1 + prefix.length);
    message[0] = kind;
    message.set(prefix, 1);
    super.onMessage(peer, [message]);
  }
}
