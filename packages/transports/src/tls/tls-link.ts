import type { Socket } from "node:net";
import process from "node:process";
import type { TLSSocket } from "node:tls";
import type { Link, LinkHandlers } from "@msg-ts/core";
import { MsgError } from "@msg-ts/core";
import type { PeerCertificate } from "../certificates/peer-certificate.ts";
import { tlsFailureText } from "./tls-failures.ts";

/**
 * How much is encrypted at a time: a whole large message at once would hold up everything else, and
 * double its memory.
 */
const batchBytes = 256 * 1024;

const whyEndedAtOnce =
  "it ended the connection right after the handshake; perhaps it refuses our certificate, or wants one";

/** What a link stands on. */
export interface SecureSocket {
  /** Its handshake is done, and it may be half-open. */
  readonly socket: TLSSocket;
  /** The connection below it. */
  readonly raw: Socket;
  readonly remoteAddress: string;
  /** What the peer showed. */
  readonly certificate: PeerCertificate | undefined;
  readonly isDialer: boolean;
}

/**
 * A link over a TLS socket of Node.js.
 *
 * It keeps its own queue, because Node's would gather everything that waits, encrypt it at once and
 * only then look whether the network takes it. The callback of a write is the first sign that its
 * bytes are not needed any more, and it always comes later: a `write` of any bytes gives false.
 */
export class TlsLink implements Link {
  readonly remoteAddress: string;
  readonly certificate: PeerCertificate | undefined;
  readonly #socket: TLSSocket;
  readonly #raw: Socket;
  readonly #isDialer: boolean;
  /** Bytes of the handshake; undefined where an end can come right behind them. */
  readonly #handshakeBytes: number | undefined;
  #phase: "open" | "ended" | "destroyed" | "closed" = "open";
  #handlers: LinkHandlers | undefined;
  #error: Error | undefined;
  #hasPeerEnded = false;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isWriting = false;
  #isDrainAwaited = false;
  readonly #onWritten: (error?: Error | null) => void = (error) => {
    if (error instanceof Error || this.#socket.destroyed) return;
    if (this.#queue.length > 0) {
      // Node calls back in the same turn as long as the network takes it all.
      setImmediate(this.#writeNext);
      return;
    }
    this.#isWriting = false;
    if (this.#isDrainAwaited) {
      this.#isDrainAwaited = false;
      this.#handlers?.onDrain();
    }
    if (this.#phase === "ended" && !this.#isWriting) this.#socket.end();
  };
  /** Corked writes become one record, or as few as can be, and one system call. */
  readonly #writeNext: () => void = () => {
    if (this.#socket.destroyed) return;
    const batch = this.#takeBatch();
    const last = batch.pop();
    if (last === undefined) return;
    this.#isWriting = true;
    if (batch.length > 0) this.#socket.cork();
    for (const chunk of batch) this.#socket.write(chunk);
    this.#socket.write(last, this.#onWritten);
    if (batch.length > 0) this.#socket.uncork();
  };

  constructor({ socket, raw, remoteAddress, certificate, isDialer }: SecureSocket) {
    this.#socket = socket;
    this.#raw = raw;
    this.#isDialer = isDialer;
    this.remoteAddress = remoteAddress;
    this.certificate = certificate;
    // An acceptor of TLS 1.3 says nothing behind its handshake before it has seen the end of ours.
    const isSilent = isDialer && socket.getProtocol() === "TLSv1.3";
    this.#handshakeBytes = isSilent ? raw.bytesRead : undefined;
    // All from here on, not from start: a TLS socket reads by itself, and says so only once.
    socket.on("error", (error) => {
      this.#error ??= error;
      // An alert and a broken record come without an end.
      socket.destroy();
    });
    socket.on("end", () => this.#onSocketEnd());
    socket.on("close", () => this.#onSocketClose());
  }

  get bufferedBytes(): number {
    return this.#socket.destroyed ? 0 : this.#queuedBytes + this.#socket.writableLength;
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#phase === "closed") {
      process.nextTick(() => this.#tellClosed());
      return;
    }
    if (this.#hasPeerEnded) process.nextTick(() => this.#tellEnd());
    this.#socket.on("data", (chunk: Buffer) => handlers.onData(chunk));
    this.#socket.resume();
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#phase !== "open") return true;
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    if (this.bufferedBytes === 0) return true;
    this.#isDrainAwaited = true;
    if (!this.#isWriting) this.#writeNext();
    return false;
  }

  setReading(reading: boolean): void {
    if (reading) this.#socket.resume();
    else this.#socket.pause();
  }

  end(): void {
    if (this.#phase !== "open") return;
    this.#phase = "ended";
    if (!this.#isWriting) this.#socket.end();
  }

  destroy(): void {
    if (this.#phase === "destroyed" || this.#phase === "closed") return;
    this.#phase = "destroyed";
    this.#socket.destroy();
  }

  #takeBatch(): Uint8Array[] {
    let count = 0;
    let bytes = 0;
    for (; count < this.#queue.length && bytes < batchBytes; count++) {
      bytes += this.#queue[count]?.length ?? 0;
    }
    const batch = this.#queue.splice(0, count);
    const excess = bytes - batchBytes;
    const last = batch.at(-1);
    if (excess > 0 && last !== undefined) {
      batch[count - 1] = last.subarray(0, last.length - excess);
      this.#queue.unshift(last.subarray(last.length - excess));
      bytes = batchBytes;
    }
    this.#queuedBytes -= bytes;
    return batch;
  }

  #onSocketEnd(): void {
    if (this.#raw.bytesRead === this.#handshakeBytes) {
      // An end in order is a record of its own: this peer just left.
      this.#error ??= new Error("no close_notify");
      this.#socket.destroy();
      return;
    }
    this.#hasPeerEnded = true;
    this.#tellEnd();
  }

  #tellEnd(): void {
    if (this.#phase === "open" || this.#phase === "ended") this.#handlers?.onEnd();
  }

  #onSocketClose(): void {
    if (this.#phase === "destroyed") this.#error = undefined;
    this.#phase = "closed";
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.#handlers !== undefined) this.#tellClosed();
  }

  #tellClosed(): void {
    const error = this.#error;
    if (error === undefined) this.#handlers?.onClose();
    else {
      // Of what was decrypted: nothing ever came behind the handshake.
      const isFresh = this.#isDialer && this.#socket.bytesRead === 0;
      const guess = isFresh ? whyEndedAtOnce : undefined;
      const text = `link to ${this.remoteAddress} broke: ${tlsFailureText(error, guess)}`;
      this.#handlers?.onClose(new MsgError("MSG_PEER_LOST", text, { cause: error }));
    }
  }
}
