import { decodeText } from "../../bytes.ts";
import type { PubSink } from "../../contracts/protocol.ts";
import type { MsgError } from "../../errors.ts";
import type { Authorization, Verdict } from "../authorization.ts";
import type { Peer } from "../peer.ts";

/** What is told of a subscription that is not allowed. */
export interface SubscriptionRefuser {
  readonly topics: ReadonlySet<string>;
  readonly prefixes: ReadonlySet<string> | undefined;
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
    this.#ask(topic, topic, (allowed) => this.#peer.onSubscribe(allowed));
  }

  /** A prefix is shown with a `>` behind it: it must not be taken for the topic of that name. */
  onSubscribePrefix(prefix: string): void {
    if (this.#peer.prefixes?.has(prefix) === true) return;
    const shown = `${decodeText(bytesOf(prefix))}>`;
    this.#ask(shown, prefix, (allowed) => this.#peer.onSubscribePrefix(allowed));
  }

  onUnsubscribePrefix(prefix: string): void {
    this.#peer.onUnsubscribePrefix(prefix);
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

  #ask(shown: string, wanted: string, allow: (wanted: string) => void): void {
    const verdict = this.#authorization.ask(this.#peer, "subscribe", shown);
    const pass = (decided: Verdict): void => {
      if (decided === undefined) allow(wanted);
      else this.#peer.deny(wanted, decided);
    };
    if (verdict instanceof Promise) void this.#passLater(verdict, pass);
    else pass(verdict);
  }

  async #passLater(deciding: Promise<Verdict>, pass: (decided: Verdict) => void): Promise<void> {
    const { connection } = this.#peer;
    connection.hold();
    const verdict = await deciding;
    if (connection.isFramed) pass(verdict);
    connection.release();
  }
}

/** The bytes of a prefix, which is given as one character for each. */
function bytesOf(prefix: string): Uint8Array {
  return Uint8Array.from(prefix, (character) => character.charCodeAt(0));
}
