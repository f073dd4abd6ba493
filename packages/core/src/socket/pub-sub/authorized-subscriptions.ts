import type { PubSink } from "../../contracts/protocol.ts";
import type { MsgError } from "../../errors.ts";
import type { Authorization, Verdict } from "../authorization.ts";
import type { Peer } from "../peer.ts";

/** What is told of a subscription that is not allowed. */
export interface SubscriptionRefuser {
  readonly topics: ReadonlySet<string>;
  deny(topic: string, error: MsgError): void;
}

/**
 * Stands between the wire and a PUB's peer, and lets through what the application allows. A PUB
 * without `authorize` has none of these.
 *
 * While it is being decided the peer is not read from: subscriptions keep their order, and one peer
 * has one question open.
 */
export class AuthorizedSubscriptions implements PubSink {
  readonly #peer: Peer & PubSink & SubscriptionRefuser;
  readonly #authorization: Authorization;

  constructor(peer: Peer & PubSink & SubscriptionRefuser, authorization: Authorization) {
    this.#peer = peer;
    this.#authorization = authorization;
  }

  onSubscribe(topic: string): void {
    // It has it already: to say so again changes nothing.
    if (this.#peer.topics.has(topic)) {
      this.#peer.onSubscribe(topic);
      return;
    }
    const verdict = this.#authorization.ask(this.#peer.info, "subscribe", topic);
    if (verdict instanceof Promise) void this.#passLater(verdict, topic);
    else this.#pass(verdict, topic);
  }

  onUnsubscribe(topic: string): void {
    this.#peer.onUnsubscribe(topic);
  }

  onExtensions(): void {
    this.#peer.onExtensions();
  }

  onIgnored(): void {
    this.#peer.onIgnored();
  }

  async #passLater(deciding: Promise<Verdict>, topic: string): Promise<void> {
    const { connection } = this.#peer;
    connection.hold();
    const verdict = await deciding;
    if (connection.isFramed) this.#pass(verdict, topic);
    connection.release();
  }

  #pass(verdict: Verdict, topic: string): void {
    if (verdict === undefined) this.#peer.onSubscribe(topic);
    else this.#peer.deny(topic, verdict);
  }
}
