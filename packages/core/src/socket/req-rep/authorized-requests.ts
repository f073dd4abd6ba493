import { copyOf } from "../../bytes.ts";
import type { RepSink } from "../../contracts/protocol.ts";
import type { MsgError } from "../../errors.ts";
import type { Authorization, Verdict } from "../authorization.ts";
import type { Peer } from "../peer.ts";

/** What is told of a request that is not allowed. */
export interface RequestRefuser {
  refuse(id: number, error: MsgError): void;
}

/**
 * Stands between the wire and a REP's peer, and lets through what the application allows. A REP
 * without `authorize` has none of these.
 *
 * While it is being decided the peer is not read from: requests keep their order, and one peer has
 * one question open.
 */
export class AuthorizedRequests implements RepSink {
  readonly #peer: Peer & RepSink & RequestRefuser;
  readonly #authorization: Authorization;
  readonly #now: () => number;
  #verdict: Verdict;
  #heldUntilMs = -Infinity;

  constructor(
    peer: Peer & RepSink & RequestRefuser,
    authorization: Authorization,
    now: () => number,
  ) {
    this.#peer = peer;
    this.#authorization = authorization;
    this.#now = now;
  }

  onRequest(
    id: number,
    payload: Uint8Array,
    wasCompressed: boolean,
    parts?: readonly Uint8Array[],
  ): void {
    if (this.#now() < this.#heldUntilMs) {
      this.#pass(id, payload, wasCompressed, parts);
      return;
    }
    const verdict = this.#authorization.ask(this.#peer, "request");
    if (verdict instanceof Promise) {
      void this.#passLater(verdict, id, payload, wasCompressed, parts);
    } else {
      this.#keep(verdict);
      this.#pass(id, payload, wasCompressed, parts);
    }
  }

  onBadRequest(id: number, error: MsgError): void {
    this.#peer.onBadRequest(id, error);
  }

  async #passLater(
    deciding: Promise<Verdict>,
    id: number,
    told: Uint8Array,
    wasCompressed: boolean,
    toldParts: readonly Uint8Array[] | undefined,
  ): Promise<void> {
    const { connection } = this.#peer;
    const payload = connection.isLent ? copyOf(told) : told;
    const parts = connection.isLent ? toldParts?.map((part) => copyOf(part)) : toldParts;
    connection.hold();
    this.#keep(await deciding);
    // Of a connection that ends nothing is run any more: its peer was told so.
    if (connection.isFramed) this.#pass(id, payload, wasCompressed, parts);
    connection.release();
  }

  #keep(verdict: Verdict): void {
    this.#verdict = verdict;
    this.#heldUntilMs = this.#now() + this.#authorization.holdsForMs;
  }

  #pass(
    id: number,
    payload: Uint8Array,
    wasCompressed: boolean,
    parts: readonly Uint8Array[] | undefined,
  ): void {
    if (this.#verdict === undefined) this.#peer.onRequest(id, payload, wasCompressed, parts);
    else this.#peer.refuse(id, this.#verdict);
  }
}
