import { encodeText } from "@msg-ts/core/building";
import type { Payload, Transport } from "@msg-ts/core";
import { byteText } from "../patterns/byte-text.ts";
import { PrefixFilter } from "../patterns/prefix-filter.ts";
import type { SubscriptionChange } from "../patterns/subscriptions.ts";
import { changeOfMessage, writeChange } from "../patterns/subscriptions.ts";
import type { Parts, PartsOptions } from "./parts-options.ts";
import { partsOfMessage } from "./parts-options.ts";
import type { PartsPeer } from "./parts-peer.ts";
import { PartsSocket } from "./parts-socket.ts";

/** What an XSUB may be told. */
export type XSubOptions = PartsOptions;

/**
 * XSUB: receives as SUB does, and subscribes also by messages: one part, a 1 or, for an end, a 0,
 * and the prefix, as an XPUB gives them. So a proxy passes subscriptions on.
 */
export class XSubSocket extends PartsSocket {
  readonly #subscriptions: Map<string, { readonly prefix: Uint8Array; count: number }> = new Map();
  readonly #filter: PrefixFilter = new PrefixFilter();

  constructor(transport: Transport, options: XSubOptions = {}) {
    super("XSUB", transport, options);
  }

  /**
   * Subscribes to all that begins so, of every publisher connected now or later; counted, as `SUB`.
   *
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`
   */
  subscribe(...prefixes: readonly Payload[]): void {
    this.assertOpen();
    for (const prefix of prefixes) this.#change({ isSubscribe: true, prefix: asBytes(prefix) });
  }

  /**
   * Takes back one `subscribe` of each; the last one ends the subscription.
   *
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`
   */
  unsubscribe(...prefixes: readonly Payload[]): void {
    this.assertOpen();
    for (const prefix of prefixes) this.#change({ isSubscribe: false, prefix: asBytes(prefix) });
  }

  /**
   * Sends a subscription, or any other message, to every publisher.
   *
   * @returns a promise only when the event loop is to have its turn; `await` works on both.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`
   */
  send(message: Parts): undefined | Promise<void> {
    const parts = this.outgoing(message);
    const [first = new Uint8Array(0)] = parts;
    const change = changeOfMessage(first, parts.length > 1 ? parts : undefined);
    if (change === undefined) {
      for (const peer of this.endpoints.peers) {
        if (peer.hasRoom) peer.give(parts);
        else this.drop("slow-peer", { peer: peer.info });
      }
    } else this.#change(change);
    this.countSent(parts);
    return this.spend(parts);
  }

  /** @internal */
  override onMessage(peer: PartsPeer, parts: readonly Uint8Array[]): void {
    const [first = new Uint8Array(0)] = parts;
    if (this.#filter.matches(byteText(first))) super.onMessage(peer, parts);
  }

  protected override get unsent(): number {
    return 0;
  }

  /** A subscription outlives its connections. */
  protected override onPeerReady(peer: PartsPeer): void {
    for (const { prefix } of this.#subscriptions.values()) {
      writeChange(peer.writer, peer.session.minor, { isSubscribe: true, prefix });
    }
  }

  /** Publishers keep a set: only the first subscription and the end of the last are told. */
  #change({ isSubscribe, prefix }: SubscriptionChange): void {
    const text = byteText(prefix);
    const known = this.#subscriptions.get(text);
    if (isSubscribe && known !== undefined) {
      known.count++;
      return;
    }
    if (!isSubscribe && known === undefined) return;
    if (known !== undefined && --known.count > 0) return;
    if (isSubscribe) {
      this.#subscriptions.set(text, { prefix: prefix.slice(), count: 1 });
      this.#filter.add(text);
    } else {
      this.#subscriptions.delete(text);
      this.#filter.delete(text);
    }
    for (const peer of this.endpoints.peers) {
      writeChange(peer.writer, peer.session.minor, { isSubscribe, prefix });
    }
  }
}

function asBytes(prefix: Payload): Uint8Array {
  return typeof prefix === "string"
    ? encodeText(prefix)
    : (partsOfMessage(prefix)[0] as Uint8Array);
}
