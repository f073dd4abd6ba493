import type { MsgError } from "../errors.ts";
import type {
  Authenticator,
  AuthToken,
  Claims,
  ConnectionHook,
  HandshakeLink,
} from "./authenticator.ts";

/** The six patterns' ends. Each pairs with one other: REQ-REP, PUB-SUB, PUSH-PULL. */
export type SocketType = "REQ" | "REP" | "PUB" | "SUB" | "PUSH" | "PULL";

/**
 * One wire: how a connection is opened, and what its bytes mean.
 *
 * A protocol does no I/O and knows no time: it reads chunks, writes to a {@link FrameBuffer}, and
 * tells a sink. Patterns do not know which protocol runs.
 */
export interface Protocol {
  /** Its name, such as `msg`. */
  readonly name: string;

  /** Whether a connection that begins with this byte may speak this protocol. */
  recognises(firstByte: number): boolean;

  /**
   * What topics mean: `patterns` are tokens between dots, with wildcards in subscriptions;
   * `prefixes` are any text, and a subscription is the beginning of what it matches.
   */
  readonly topics: "patterns" | "prefixes";

  /**
   * Refuses what a socket was told and this protocol cannot do, when the socket is made.
   *
   * @throws MsgError `MSG_INVALID_OPTION`
   */
  checkOptions?(socketType: string, options: ProtocolOptions): void;

  /** What is exchanged before the first frame; `undefined` when nothing is, and the connection is ready at once. */
  handshake(context: HandshakeContext): Handshake | undefined;

  /** Opens the framed part of a connection. */
  open<Type extends SocketType>(
    type: Type,
    out: FrameBuffer,
    sink: SinkByType[Type],
    context: WireContext,
  ): Wire<Type>;
}

/**
 * Owns a connection until its peer is let in. Rejects with the reason when the peer is refused or
 * refuses.
 */
export interface Handshake {
  (link: HandshakeLink): Promise<Welcome>;
  /**
   * The peer may be silent before its first byte for as long as it likes. The deadline begins with
   * that; until then the peer holds the place of a client instead of one for handshakes.
   *
   * @defaultValue false
   */
  readonly isUnhurried?: boolean;
}

/** What a protocol may have to refuse. */
export interface ProtocolOptions {
  readonly authToken?: AuthToken | undefined;
  readonly authenticator?: Authenticator | undefined;
  readonly compressor?: object | undefined;
}

/** Both directions of one connection's frames. */
export interface Wire<Type extends SocketType> {
  readonly decoder: FrameDecoder;
  readonly writer: WriterByType[Type];
}

/** Who takes part in a handshake. */
export interface HandshakeContext {
  /** One of {@link SocketType}, or what a package that brings sockets of its own calls them. */
  readonly socketType: string;
  readonly isDialer: boolean;
  /** What we call ourselves to the peer. */
  readonly name: string;
  readonly authToken?: AuthToken | undefined;
  readonly authenticator?: Authenticator | undefined;
  readonly hook?: ConnectionHook | undefined;
}

/** What a handshake found out about the peer. */
export interface Welcome {
  readonly claims: Claims;
  readonly name: string;
  /** The protocol that runs from here on, when the handshake had to find that out. */
  readonly protocol?: Protocol;
}

/** What a wire needs of its connection. */
export interface WireContext {
  /** The most bytes a payload may have, before and after decompression. */
  readonly maxMessageBytes: number;
  readonly gate: WireGate;
  /**
   * Undoes the compression `id`, at once or later.
   *
   * @param maxBytes - bounds the result, 0 to `maxMessageBytes`.
   * @throws MsgError `MSG_UNKNOWN_COMPRESSION`, `MSG_DECOMPRESS_FAILED`, `MSG_PAYLOAD_TOO_LARGE`;
   *   or the promise rejects so.
   */
  decompress(id: number, payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array>;
  /** Closes the connection for a violation that no {@link FrameDecoder.decode} can throw any more. */
  fail(error: unknown): void;
  readonly pulse: Pulse;
}

/** The time of a connection, for a wire that has to speak when nothing else is said. */
export interface Pulse {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Bytes that came from the peer so far, whether or not they were decoded. */
  readonly receivedBytes: number;
  /** Bytes that the transport has not taken yet. */
  readonly unsentBytes: number;
  /**
   * Calls back each `intervalMs` for as long as frames may be written, in place of what was called
   * back before.
   */
  every(intervalMs: number, callback: () => void): void;
}

/**
 * Whether more frames are wanted. A decoder looks at it after each frame and stops at the frame's
 * end when it is closed; it is asked again when the gate opens.
 */
export interface ReadGate {
  readonly isOpen: boolean;
  /**
   * A number for the memory that the payload told now shares with others, and its size: one payload
   * pins all of it, so whoever keeps one counts that once. 0 when it has memory of its own.
   */
  readonly slab: number;
  readonly slabBytes: number;
  /** The payload told now is valid only while it is told: whoever keeps it copies it. */
  readonly isLent: boolean;
  /** Closes the gate; it opens again when every `hold` had its `release`. */
  hold(): void;
  release(): void;
}

/** Frames that were read and that the sink is not told of yet. */
export interface Backlog {
  /** Tells, in order, what can be told, as long as the gate is open. */
  resume(): void;
  /** Forgets everything: nothing is told any more, whatever comes later. Idempotent. */
  drop(): void;
}

/**
 * A {@link ReadGate} as the wire of its connection sees it: reading may go on while frames that were
 * read wait to be told.
 */
export interface WireGate extends ReadGate {
  /**
   * From now on there is a backlog, or, with `undefined`, none any more. While there is one
   * - the end of the input, the peer's own or a violation, waits behind it;
   * - `resume` is called whenever the gate opens, before more is decoded;
   * - `drop` is called when this end closes the connection. When it is lost instead, the gate stays
   *   open for what was read before.
   */
  setBacklog(backlog: Backlog | undefined): void;
}

/** Bytes in, calls on a sink out. */
export interface FrameDecoder {
  /** How many bytes, from the start of the frame at hand, {@link decode} needs to get further. */
  readonly neededBytes: number;

  /**
   * Reads whole frames from `bytes[start..end)`, tells the sink, and stops at the first frame that
   * is not whole, or when the gate closes. Payloads are views on `bytes`.
   *
   * @returns where the first byte not consumed is.
   * @throws MsgError `MSG_PROTOCOL`, `MSG_PAYLOAD_TOO_LARGE` or `MSG_INVALID_TOPIC`: close the
   *   connection. A length is checked before a byte of its body is stored.
   */
  decode(bytes: Uint8Array, start: number, end: number): number;
}

/** Where frames are written: the current chunk of a connection's outbox. */
export interface FrameBuffer {
  /** The chunk being filled; it changes with each {@link reserve}. */
  readonly bytes: Uint8Array;
  /** The same chunk, for numbers. */
  readonly view: DataView;
  /** Makes room for `length` contiguous bytes, counts them as written, and gives their offset. */
  reserve(length: number): number;
  /** The longest payload that a writer may put behind its header itself, in one {@link reserve}. */
  readonly copiesUpTo: number;
  /** Appends a payload: those up to {@link copiesUpTo} are copied, larger ones go by reference. */
  append(payload: Uint8Array): void;
}

/** What a REQ hears. */
export interface ReqSink {
  /** @param parts - all of a message that has several; `payload` is the first. */
  onReply(id: number, payload: Uint8Array, parts?: readonly Uint8Array[]): void;
  /** The answer is an error, or could not be decompressed. */
  onReplyError(id: number, error: MsgError): void;
  /** The peer drains and did not run this request. */
  onReplyRefused(id: number): void;
  /** The peer drains: give it nothing more. */
  onGoodbye(): void;
}

/** What a REQ says. */
export interface ReqWriter {
  request(id: number, compression: number, payload: Uint8Array): void;
  /** How many requests may be unanswered at a time, when the wire bounds that. */
  readonly maxInFlight?: number;
  /** Nobody waits for the answer to a request that was written any more. */
  abandon?(id: number): void;
}

/** What a REP hears. */
export interface RepSink {
  /** @param parts - all of a message that has several; `payload` is the first. */
  onRequest(
    id: number,
    payload: Uint8Array,
    wasCompressed: boolean,
    parts?: readonly Uint8Array[],
  ): void;
  onBadRequest(id: number, error: MsgError): void;
}

/** What a REP says. */
export interface RepWriter {
  reply(id: number, compression: number, payload: Uint8Array): void;
  /** @param code - `[A-Z][A-Z0-9_]{0,63}`; the message is cut so that both fit 4 KiB. */
  replyError(id: number, code: string, message: string): void;
  goodbye(): void;
}

/** What a PUB hears. */
export interface PubSink {
  onSubscribe(topic: string): void;
  onUnsubscribe(topic: string): void;
  /**
   * It wants all topics that begin so; or no longer. A prefix is given as one character for each of
   * its bytes (U+0000 to U+00FF).
   */
  onSubscribePrefix(prefix: string): void;
  onUnsubscribePrefix(prefix: string): void;
  /** The subscriber understands marks, acknowledged subscriptions and goodbyes. */
  onExtensions(): void;
  /** A frame that asks for nothing we know, or for a topic that is not UTF-8. */
  onIgnored(): void;
}

/** One published message, shared by all its subscribers. */
export interface OutgoingMessage {
  readonly topic: string;
  /** The topic as UTF-8. */
  readonly topicBytes: Uint8Array;
  /** Microseconds since 1970. */
  readonly timestampMicros: number;
  readonly compression: number;
  readonly payload: Uint8Array;
}

/** Messages for the same subscribers, encoded once for all of them. */
export interface MessageBatch {
  readonly messages: readonly OutgoingMessage[];
  /** How many bytes they are on the wire. */
  readonly bytes: number;
  /** Adds one; false when there is no room for it. */
  add(message: OutgoingMessage): boolean;
  clear(): void;
}

/** What a PUB says. `sequence` is always the connection's next number. */
export interface PubWriter {
  publish(message: OutgoingMessage, sequence: number): void;
  /** Makes an empty batch, for {@link publishBatch} of every writer of this protocol. */
  newBatch(): MessageBatch;
  /** Publishes all of a batch; its first message has the number `sequence`. */
  publishBatch(batch: MessageBatch, sequence: number): void;
  mark(sequence: number): void;
  subscribed(topic: string, sequence: number): void;
  /** The subscription was not taken. Absent where the wire has no word for that. */
  denied?(topic: string, sequence: number): void;
  bye(sequence: number): void;
}

/** What a SUB hears. */
export interface SubSink {
  /** @param parts - all of a message that has several, where the wire has such. */
  onMessage(
    topic: string,
    timestampMicros: number,
    sequence: number,
    payload: Uint8Array,
    parts?: readonly Uint8Array[],
  ): void;
  onBadMessage(topic: string, sequence: number, error: MsgError): void;
  onMark(sequence: number): void;
  onSubscribed(topic: string, sequence: number): void;
  /** The publisher does not take this subscription. */
  onDenied(topic: string, sequence: number): void;
  onBye(sequence: number): void;
}

/** What a SUB says. */
export interface SubWriter {
  extensions(): void;
  subscribe(topic: string, timestampMicros: number): void;
  unsubscribe(topic: string, timestampMicros: number): void;
  /** Publishers say nothing but messages: a subscription counts as active once it was written. */
  readonly isOneWay?: boolean;
}

/** What a PUSH hears. */
export interface PushSink {
  onWindow(count: number): void;
  onAcknowledged(sequence: number, count: number): void;
  onRefused(sequence: number, count: number): void;
  /** The PULL drains: it settles what is under way and then ends. */
  onBye(): void;
}

/** What a PUSH says. */
export interface PushWriter {
  /** @param earlierDeliveries - saturates at 15 on the wire. */
  job(sequence: number, earlierDeliveries: number, compression: number, payload: Uint8Array): void;
  /**
   * Where PULLs neither grant windows nor settle jobs: how many jobs may wait for the transport. A
   * job is done once the transport took it.
   */
  readonly mostUntaken?: number;
}

/** What a PULL hears. */
export interface PullSink {
  /** @param parts - all of a message that has several; `payload` is the first. */
  onJob(
    sequence: number,
    earlierDeliveries: number,
    payload: Uint8Array,
    parts?: readonly Uint8Array[],
  ): void;
  onBadJob(sequence: number, error: MsgError): void;
}

/** What a PULL says. */
export interface PullWriter {
  window(count: number): void;
  acknowledge(sequence: number, count: number): void;
  refuse(sequence: number, count: number): void;
  bye(): void;
  /** Nothing can be said to the PUSH: a job is acknowledged when it arrives. */
  readonly isOneWay?: boolean;
}

/** What each socket type hears. */
export interface SinkByType {
  readonly REQ: ReqSink;
  readonly REP: RepSink;
  readonly PUB: PubSink;
  readonly SUB: SubSink;
  readonly PUSH: PushSink;
  readonly PULL: PullSink;
}

/** What each socket type says. */
export interface WriterByType {
  readonly REQ: ReqWriter;
  readonly REP: RepWriter;
  readonly PUB: PubWriter;
  readonly SUB: SubWriter;
  readonly PUSH: PushWriter;
  readonly PULL: PullWriter;
}
