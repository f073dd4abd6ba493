import { Buffer } from "node:buffer";
import type { Link, LinkHandlers, MsgError } from "@msg-ts/core";
import type { PeerCertificate } from "../certificates/peer-certificate.ts";
import type { EngineConnection } from "./engine.ts";

/** Where streams are read when their receiver offers no memory of its own: copied before reuse. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

const noBytes = new Uint8Array(0);

/** The code with which a stream is given up. */
const destroyedCode = 1;

/** What a link needs of the connection that its stream belongs to. */
export interface LinkSession {
  readonly connection: EngineConnection;
  readonly certificate: PeerCertificate | undefined;
  /** Neither sends nor receives any more, but what has arrived may still be read. */
  readonly isOver: boolean;
  /** Has {@link StreamLink.runTurn} called soon. */
  requestTurn(link: StreamLink): void;
  /** Has {@link StreamLink.sendMore} called when more may be sent. */
  awaitRoom(link: StreamLink): void;
  /** Has what was given to the engine sent at the end of the tick. */
  requestFlush(): void;
  /** Both sides have ended; is asked again and again whether all has arrived. */
  awaitDone(link: StreamLink): void;
  /** The link is closed. Gives what its owner is to wait for before it is told, if anything. */
  release(link: StreamLink): Promise<void> | undefined;
  /** A link broke because of what the peer did with its stream. */
  failureOf(error: unknown): MsgError;
}

/** A link over one bidirectional stream of a QUIC connection. */
export class StreamLink implements Link {
  readonly id: number;
  readonly remoteAddress: string;
  readonly #session: LinkSession;
  #phase: "open" | "ended" | "destroyed" | "closed" = "open";
  #handlers: LinkHandlers | undefined;
  #isReading = true;
  #hasPeerEnded = false;
  /** Behind which byte the peer's side ends, when it told so beside the stream. */
  #endAt = Infinity;
  #isEndRead = false;
  #receivedBytes = 0;
  #sentBytes = 0;
  #moves = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isDrainAwaited = false;
  #isFinGiven = false;
  #isFinAlone = false;
  #isTurnRequested = false;
  #released: Promise<void> | undefined;
  #reason: MsgError | undefined;

  constructor(session: LinkSession, id: number, remoteAddress: string) {
    this.#session = session;
    this.id = id;
    this.remoteAddress = remoteAddress;
  }

  get certificate(): PeerCertificate | undefined {
    return this.#session.certificate;
  }

  get bufferedBytes(): number {
    return this.#queuedBytes;
  }

  /** All that was ever given to the engine. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** All that was ever read. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** How many reads and writes there were that moved something. */
  get moves(): number {
    return this.#moves;
  }

  /** Whether what arrives is read at once. */
  get isReading(): boolean {
    return this.#isReading && this.#handlers !== undefined;
  }

  /** Whether the end of our side was sent behind everything else: the engine may lose such a one. */
  get isFinAlone(): boolean {
    return this.#isFinAlone;
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    this.#requestTurn();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#phase !== "open") return true;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      const given = this.#queuedBytes === 0 ? this.#give(chunk, false) : 0;
      if (given === chunk.length) continue;
      const rest = given === 0 ? chunk : chunk.subarray(given);
      this.#queue.push(rest);
      this.#queuedBytes += rest.length;
    }
    this.#session.requestFlush();
    if (this.#reason !== undefined) this.#dropQueue();
    if (this.#queuedBytes === 0) return true;
    this.#isDrainAwaited = true;
    this.#session.awaitRoom(this);
    return false;
  }

  setReading(reading: boolean): void {
    if (this.#isReading === reading) return;
    this.#isReading = reading;
    if (reading) this.#requestTurn();
  }

  end(): void {
    if (this.#phase !== "open") return;
    this.#phase = "ended";
    if (this.#queuedBytes === 0) {
      this.#isFinAlone = true;
      this.#give(noBytes, true);
      this.#session.requestFlush();
    }
    this.#requestTurn();
  }

  destroy(): void {
    if (this.#phase === "destroyed" || this.#phase === "closed") return;
    this.#phase = "destroyed";
    this.#reason = undefined;
    this.#dropQueue();
    if (!this.#session.isOver) {
      this.#session.connection.streamReset(this.id, destroyedCode);
      this.#session.requestFlush();
    }
    this.#released = this.#session.release(this);
    this.#requestTurn();
  }

  /** Does what may not be done within a call on the link: reads, and tells what there is to tell. */
  runTurn(): void {
    this.#isTurnRequested = false;
    this.#receive();
    this.#conclude();
  }

  /** Reads as long as there is something, and somebody who wants it. */
  #receive(): void {
    const { connection } = this.#session;
    while (this.#isReading && this.#isLive()) {
      const target = this.#handlers?.nextBuffer?.() ?? scratch;
      let length: number;
      try {
        length = connection.streamReceive(this.id, target);
      } catch (error) {
        this.#fail(error);
        return;
      }
      if (length < 0) break;
      const isEnd = connection.isStreamEnd;
      this.#receivedBytes += length;
      this.#moves += 1;
      if (length > 0) this.#handlers?.onData(chunkOf(target, length));
      if (isEnd) this.#onPeerEnd();
      // Nothing more was there.
      if (length < target.length) break;
    }
    if (!this.#isReading) this.#lookForReset();
    const isAllRead = this.#isEndRead || this.#receivedBytes >= this.#endAt || this.#session.isOver;
    if (isAllRead && this.#isReading && this.#isLive()) this.#onPeerEnd();
  }

  /** A reader that has stopped is to hear of it too when its peer has given the stream up. */
  #lookForReset(): void {
    if (!this.#isLive() || this.#session.isOver) return;
    const { connection } = this.#session;
    try {
      // An end without bytes is taken with it, and told when the reader goes on.
      if (connection.streamReceive(this.id, noBytes) === 0)
        this.#isEndRead = connection.isStreamEnd;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Gives the engine what waits, as far as it takes it. */
  sendMore(): void {
    const queuedBefore = this.#queuedBytes;
    let count = 0;
    for (const chunk of this.#queue) {
      const isLast = this.#phase === "ended" && count === this.#queue.length - 1;
      const given = this.#give(chunk, isLast);
      this.#queuedBytes -= given;
      if (given < chunk.length) {
        this.#queue[count] = chunk.subarray(given);
        break;
      }
      count += 1;
    }
    this.#queue.splice(0, count);
    if (this.#queuedBytes < queuedBefore) this.#session.requestFlush();
    if (this.#queuedBytes > 0) {
      this.#session.awaitRoom(this);
      return;
    }
    if (this.#isDrainAwaited) {
      this.#isDrainAwaited = false;
      this.#handlers?.onDrain();
    }
    this.#conclude();
  }

  /**
   * The peer says that its side ended behind so many bytes, in case its end on the stream is lost.
   * It says so when it has read the end of ours.
   */
  onEndNotice(totalBytes: number): void {
    this.#endAt = totalBytes;
    this.#requestTurn();
  }

  /** The connection is over. @param reason - absent when the peer ended it in order. */
  onSessionEnd(reason: MsgError | undefined): void {
    if (!this.#isSettled()) {
      this.#reason ??= this.#queuedBytes > 0 ? this.#session.failureOf(reason) : reason;
    }
    this.#requestTurn();
  }

  /** True when all that was sent has arrived, and both sides have ended. Closes the link then. */
  closeIfDone(): boolean {
    if (this.#phase !== "ended") return true;
    const { connection, isOver } = this.#session;
    // Without the end on the stream, the engine waits for it for ever.
    const isToldBeside = this.#endAt < Infinity;
    if (!isOver && !isToldBeside && !connection.isStreamDone(this.id)) return false;
    this.#close();
    return true;
  }

  /** Nothing is missing on either side but the word that it arrived. */
  #isSettled(): boolean {
    return this.#phase === "ended" && this.#isFinGiven && this.#hasPeerEnded;
  }

  #isLive(): boolean {
    if (this.#handlers === undefined || this.#hasPeerEnded || this.#reason !== undefined) {
      return false;
    }
    return this.#phase === "open" || this.#phase === "ended";
  }

  #onPeerEnd(): void {
    if (!this.#isLive()) return;
    this.#hasPeerEnded = true;
    this.#handlers?.onEnd();
  }

  /** Closes the link if it is time. */
  #conclude(): void {
    if (this.#phase === "closed") return;
    if (this.#phase === "destroyed" || this.#reason !== undefined) return this.#close();
    if (!this.#hasPeerEnded || this.#phase !== "ended") return;
    if (this.#session.isOver) {
      if (this.#queuedBytes > 0) this.#reason = this.#session.failureOf(undefined);
      return this.#close();
    }
    if (this.#isFinGiven) this.#session.awaitDone(this);
  }

  #close(): void {
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    if (this.#phase !== "destroyed") this.#released = this.#session.release(this);
    this.#phase = "closed";
    this.#dropQueue();
    if (this.#released === undefined) handlers.onClose(this.#reason);
    else void this.#released.then(() => handlers.onClose(this.#reason));
  }

  #give(bytes: Uint8Array, isLast: boolean): number {
    if (this.#session.isOver || this.#reason !== undefined) return isLast ? 0 : bytes.length;
    try {
      const given = this.#session.connection.streamSend(this.id, bytes, isLast);
      this.#sentBytes += given;
      this.#moves += 1;
      if (isLast && given === bytes.length) this.#isFinGiven = true;
      return given;
    } catch (error) {
      this.#fail(error);
      return bytes.length;
    }
  }

  /** The stream is no more; told in the next turn. */
  #fail(error: unknown): void {
    if (this.#phase !== "open" && this.#phase !== "ended") return;
    this.#reason ??= this.#session.failureOf(error);
    if (!this.#session.isOver) {
      this.#session.connection.streamReset(this.id, destroyedCode);
      this.#session.requestFlush();
    }
    this.#requestTurn();
  }

  #dropQueue(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #requestTurn(): void {
    if (this.#isTurnRequested || this.#handlers === undefined) return;
    this.#isTurnRequested = true;
    this.#session.requestTurn(this);
  }
}

function chunkOf(target: Uint8Array, length: number): Uint8Array {
  if (target === scratch) return Buffer.from(scratch.subarray(0, length));
  return length === target.length ? target : target.subarray(0, length);
}
