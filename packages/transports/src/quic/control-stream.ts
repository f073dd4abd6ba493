import { Buffer } from "node:buffer";
import type { EngineConnection } from "./engine.ts";

/**
 * A record, big-endian. Each end of a shared connection sends them on its first unidirectional
 * stream, which it never ends.
 *
 *   offset  size  field
 *   0       1     kind    1: a stream has ended; 2: open no more streams; 3: a stream is open
 *   1       4     stream  kinds 1 and 3: its id; else 0
 *   5       8     bytes   kind 1: how many bytes were sent on it; else 0
 */
const recordBytes = 13;
const endKind = 1;
const goAwayKind = 2;
const openKind = 3;

/** What a control stream tells, and what it stands on. */
export interface ControlOwner {
  readonly connection: EngineConnection;
  requestFlush(): void;
  onEndNotice(id: number, totalBytes: number): void;
  onGoAway(): void;
  onOpenNotice(id: number): void;
}

/**
 * What both ends of a connection tell each other beside its links.
 *
 * The end of a stream, because quiche before 0.30 forgets a stream once all its bytes have arrived:
 * when its end was sent behind them, and that packet is lost, it is never sent again.
 *
 * That a stream is open, because nothing of it is seen before something is written: a REQ says
 * nothing until it is asked to, and its connection is not one that nobody uses.
 */
export class ControlStream {
  readonly #owner: ControlOwner;
  readonly #ownId: number;
  readonly #peerId: number;
  readonly #into = Buffer.allocUnsafe(recordBytes * 8);
  #unread: Buffer = Buffer.alloc(0);
  #unsent: Buffer = Buffer.alloc(0);

  constructor(owner: ControlOwner, isDialer: boolean) {
    this.#owner = owner;
    this.#ownId = isDialer ? 2 : 3;
    this.#peerId = isDialer ? 3 : 2;
  }

  sendEnd(id: number, totalBytes: number): void {
    this.#send(endKind, id, totalBytes);
    this.#owner.requestFlush();
  }

  /** Leaves with what is sent next. */
  sendOpen(id: number): void {
    this.#send(openKind, id, 0);
  }

  sendGoAway(): void {
    this.#send(goAwayKind, 0, 0);
    this.#owner.requestFlush();
  }

  /** Tries again what did not go before. */
  sendMore(): void {
    if (this.#unsent.length === 0) return;
    try {
      const sent = this.#owner.connection.streamSend(this.#ownId, this.#unsent, false);
      this.#unsent = this.#unsent.subarray(sent);
    } catch {
      // The connection ends, or the peer has none of it.
      this.#unsent = Buffer.alloc(0);
    }
  }

  /** Reads if it is the peer's control stream that has something to read. */
  receive(id: number): boolean {
    if (id !== this.#peerId) return false;
    const { connection } = this.#owner;
    try {
      for (;;) {
        const length = connection.streamReceive(id, this.#into);
        if (length <= 0) return true;
        this.#take(this.#into.subarray(0, length));
      }
    } catch {
      // It was reset: then nothing more comes.
      return true;
    }
  }

  #send(kind: number, id: number, totalBytes: number): void {
    const record = Buffer.alloc(recordBytes);
    record.writeUInt8(kind, 0);
    record.writeUInt32BE(id, 1);
    record.writeBigUInt64BE(BigInt(totalBytes), 5);
    this.#unsent = Buffer.concat([this.#unsent, record]);
    this.sendMore();
  }

  #take(bytes: Buffer): void {
    let all = Buffer.concat([this.#unread, bytes]);
    for (; all.length >= recordBytes; all = all.subarray(recordBytes)) {
      const kind = all.readUInt8(0);
      if (kind === endKind) {
        this.#owner.onEndNotice(all.readUInt32BE(1), Number(all.readBigUInt64BE(5)));
      } else if (kind === goAwayKind) this.#owner.onGoAway();
      else if (kind === openKind) this.#owner.onOpenNotice(all.readUInt32BE(1));
    }
    this.#unread = Buffer.from(all);
  }
}
