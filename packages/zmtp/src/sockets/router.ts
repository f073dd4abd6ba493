import type { Connection, LazyError } from "@msg-ts/core/building";
import { checkBoolean, copyOf, payloadBytes } from "@msg-ts/core/building";
import type { CloseOptions, CloseReport, Payload, PeerInfo, Transport } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { Parts, PartsOptions } from "./parts-options.ts";
import type { PartsPeer } from "./parts-peer.ts";
import { PartsSocket } from "./parts-socket.ts";
import { RoutingIds } from "./routing-ids.ts";
import type { PartsSendOptions } from "./sharing-socket.ts";
import { WaitingSends } from "./waiting-sends.ts";

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

/** How a ROUTER connects. */
export interface RouterConnectOptions {
  /**
   * The name to know the peer by that is reached there, whatever it calls itself: so that a message
   * can be sent to it before one came.
   *
   * 1 to 255 bytes, the first not 0.
   */
  readonly routingId?: Payload | undefined;
}

const noOptions: PartsSendOptions = {};

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
  readonly #transport: Transport;
  /** Names that peers are given where they are dialed, by address. */
  readonly #givenIds: Map<string, Uint8Array> = new Map();
  /** Calls that wait for a peer to read. */
  readonly #waiting: Map<PartsPeer, WaitingSends> = new Map();

  constructor(transport: Transport, options: RouterOptions = {}) {
    super("ROUTER", transport, options);
    const { mandatory = false, handover = false } = options;
    checkBoolean("mandatory", mandatory);
    checkBoolean("handover", handover);
    this.#isMandatory = mandatory;
    this.#isHandover = handover;
    this.#transport = transport;
    this.#ids = new RoutingIds(Math.floor(this.runtime.random() * 2 ** 32));
  }

  /** @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ADDRESS`, `MSG_INVALID_ARGUMENT` */
  override connect(address: string, { routingId }: RouterConnectOptions = {}): Promise<void> {
    this.assertOpen();
    if (routingId !== undefined) {
      const id = copyOf(payloadBytes(routingId));
      const refusal = id.length === 0 ? "routingId is empty" : faultOfId("routingId", id);
      if (refusal !== undefined) throw new MsgError("MSG_INVALID_ARGUMENT", refusal);
      this.#givenIds.set(this.#transport.parseAddress(address), id);
    }
    return super.connect(address);
  }

  override disconnect(address: string, options?: CloseOptions): boolean {
    this.#givenIds.delete(this.#transport.parseAddress(address));
    return super.disconnect(address, options);
  }

  /**
   * Sends a message to the peer that its first part names.
   *
   * @param options - with `mandatory`, a `timeoutMs` has the call wait for a peer that does not read.
   * @returns a promise when it waits or the event loop is to have its turn; `await` works on both.
   *   It rejects with `MSG_TIMEOUT`, `MSG_NO_PEER`, `MSG_CLOSED` or the signal's reason.
   * @throws MsgError `MSG_CLOSED`, `MSG_INVALID_ARGUMENT`, `MSG_PAYLOAD_TOO_LARGE`; with
   *   `mandatory`, `MSG_NO_PEER` and `MSG_HIGH_WATER_MARK`
   */
  send(message: Parts, options: PartsSendOptions = noOptions): undefined | Promise<void> {
    const [id, ...parts] = this.outgoing(message, options.copy);
    if (id === undefined || parts.length === 0) {
      const text = "message of a ROUTER must have the peer's id and at least one part more";
      throw new MsgError("MSG_INVALID_ARGUMENT", text);
    }
    const peer = this.#ids.get(id);
    if (peer?.isReady !== true) return this.#refuse("unroutable", undefined, parts);
    const waiting = this.#waiting.get(peer);
    if (waiting === undefined || waiting.size === 0) {
      if (this.#give(peer, parts)) return this.spend(parts);
    }
    if (!this.#isMandatory || (options.timeoutMs ?? 0) === 0) {
      return this.#refuse("slow-peer", peer, parts);
    }
    return this.#waitingFor(peer).wait(
      () => this.#give(peer, parts),
      options,
      "the peer took no message",
    );
  }

  /** @internal */
  override onRoom(peer: PartsPeer): void {
    this.#waiting.get(peer)?.pump();
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
    const identity = this.#wantedBy(peer);
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
    const identity = this.#wantedBy(peer);
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
    this.#waiting.get(peer)?.close(new MsgError("MSG_NO_PEER", "the peer is gone"));
    this.#waiting.delete(peer);
  }

  protected override onClosed(error: LazyError): CloseReport {
    for (const waiting of this.#waiting.values()) waiting.close(error());
    return super.onClosed(error);
  }

  #give(peer: PartsPeer, parts: readonly Uint8Array[]): boolean {
    if (!peer.hasRoom) return false;
    peer.give(parts);
    this.countSent(parts);
    return true;
  }

  #waitingFor(peer: PartsPeer): WaitingSends {
    const { maxWaiting } = this.partsOptions;
    const known = this.#waiting.get(peer);
    if (known !== undefined) return known;
    const waiting = new WaitingSends(this.runtime, maxWaiting, () => this.onRoom(peer));
    this.#waiting.set(peer, waiting);
    return waiting;
  }

  #wantedBy({ info, session }: PartsPeer): Uint8Array {
    return this.#givenIds.get(info.endpoint) ?? session.identity;
  }

  #refusalOf(identity: Uint8Array, before: PartsPeer | undefined): MsgError | undefined {
    const fault = faultOfId("peer's identity", identity);
    if (fault !== undefined) return new MsgError("MSG_PROTOCOL", fault);
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

/** Why a name cannot be one. */
function faultOfId(what: string, id: Uint8Array): string | undefined {
  if (id[0] === 0) return `${what} begins with a 0, which is reserved`;
  if (id.length > 255) return `${what} has ${id.length} bytes, must be at most 255`;
  return undefined;
}
