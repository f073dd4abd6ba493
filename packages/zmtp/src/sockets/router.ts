import type { Connection } from "@msg-ts/core/building";
import { checkBoolean } from "@msg-ts/core/building";
import type { PeerInfo, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Parts, PartsOptions } from "./parts-options.ts";
import type { PartsPeer } from "./parts-peer.ts";
import { PartsSocket } from "./parts-socket.ts";
import { RoutingIds } from "./routing-ids.ts";

/** What a ROUTER may be told. */
export interface RouterOptions extends PartsOptions {
  /**
   * Throws when a message is for nobody, or for a peer that does not read; else such a message is
   * dropped and counted.
   *
   * @defaultValue false
   */
  readonly mandatory?: boolean | undefined;

  /**
   * A peer that comes with the identity of another takes its place, and the other is closed; else
   * the newcomer is refused. Nothing proves an identity.
   *
   * @defaultValue false
   */
  readonly handover?: boolean | undefined;
}

/**
 * ROUTER: knows each peer by a name, which is the first part of what it receives and of what it
 * sends.
 *
 * @example
 * ```ts
 * const router = new RouterSocket(new Tcp(), { mandatory: true });
 * await router.bind("127.0.0.1:5555");
 * for await (const { parts: [id, ...rest] } of router) await router.send([id, ...rest]);
 * ```
 */
export class RouterSocket extends PartsSocket {
  readonly #ids: RoutingIds<PartsPeer>;
  readonly #isMandatory: boolean;
  readonly #isHandover: boolean;

  constructor(transport: Transport, options: RouterOptions = {}) {
    super("ROUTER", transport, options);
    const { mandatory = false, handover = false } = options;
    checkBoolean("mandatory", mandatory);
    checkBoolean("handover", handover);
    this.#isMandatory = mandatory;
    this.#isHandover = handover;
    this.#ids = new RoutingIds(Math.floor(this.runtime.random() * 2 ** 32));
  }

  /**
   * Sends a message to the peer that its first part names.
   *
   * @returns a promise only when the event loop is to have its turn; `await` works on both.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`; with
   *   `mandatory`, `MSG_NO_PEER` and `MSG_HIGH_WATER_MARK`
   */
  send(message: Parts, { copy }: { readonly copy?: boolean } = {}): undefined | Promise<void> {
    const [id, ...parts] = this.outgoing(message, copy);
    if (id === undefined || parts.length === 0) {
      const text = "message of a ROUTER must have the peer's id and at least one part more";
      throw new MsgError("MSG_INVALID_ARGUMENT", text);
    }
    const peer = this.#ids.get(id);
    if (peer?.isReady !== true) return this.#refuse("unroutable", undefined, parts);
    if (!peer.hasRoom) return this.#refuse("slow-peer", peer, parts);
    peer.give(parts);
    this.countSent(parts);
    return this.spend(parts);
  }

  /** The names of the peers that are connected now. */
  get routingIds(): readonly Uint8Array[] {
    return Array.from(this.endpoints.peers, (peer) => this.#ids.idOf(peer)).filter(
      (id) => id !== undefined,
    );
  }

  protected override get unsent(): number {
    return 0;
  }

  protected override incoming(
    peer: PartsPeer,
    parts: readonly Uint8Array[],
  ): readonly Uint8Array[] {
    return [this.#ids.idOf(peer) ?? new Uint8Array(0), ...parts];
  }

  protected override createPeer(connection: Connection, info: PeerInfo): PartsPeer {
    const peer = super.createPeer(connection, info);
    const { identity } = peer.session;
    const before = identity.length === 0 ? undefined : this.#ids.get(identity);
    const refusal = this.#refusalOf(identity, before);
    if (refusal !== undefined) {
      connection.destroy(refusal);
      this.emit("refused", { endpoint: info.endpoint, address: info.address, error: refusal });
      return peer;
    }
    return peer;
  }

  protected override onPeerReady(peer: PartsPeer): void {
    const { identity } = peer.session;
    const before = identity.length === 0 ? undefined : this.#ids.get(identity);
    if (before !== undefined) {
      this.#ids.delete(before);
      const text = "another peer came with its identity, and handover is set";
      before.connection.destroy(new MsgError("MSG_PEER_LOST", text));
    }
    this.#ids.add(peer, identity);
  }

  protected override onPeerClosed(peer: PartsPeer): void {
    this.#ids.delete(peer);
  }

  #refusalOf(identity: Uint8Array, before: PartsPeer | undefined): MsgError | undefined {
    if (identity[0] === 0) {
      return new MsgError("MSG_PROTOCOL", "peer's identity begins with a 0, which is reserved");
    }
    if (identity.length > 255) {
      const text = `peer's identity has ${identity.length} bytes, must be at most 255`;
      return new MsgError("MSG_PROTOCOL", text);
    }
    if (before === undefined || this.#isHandover) return undefined;
    const text = `another peer has the identity of this one (${before.info.address})`;
    return new MsgError("MSG_TOO_MANY_PEERS", text);
  }

  #refuse(
    reason: "unroutable" | "slow-peer",
    peer: PartsPeer | undefined,
    parts: readonly Uint8Array[],
  ): undefined {
    if (this.#isMandatory && reason === "unroutable") {
      throw new MsgError("MSG_NO_PEER", "no peer has the id that the message begins with");
    }
    if (this.#isMandatory) {
      throw new MsgError("MSG_HIGH_WATER_MARK", "the peer does not read: its queue is full");
    }
    this.drop(reason, { peer: peer?.info, payload: parts[0] });
  }
}
