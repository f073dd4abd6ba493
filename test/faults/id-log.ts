import { Buffer } from "node:buffer";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** What a record of an {@link IdLog} says about its id. */
export const events = {
  requestSent: 1,
  requestAnswered: 2,
  /** `extra` is the place of the code in {@link rejectionCodes}. */
  requestRejected: 3,
  requestRan: 4,
  jobSent: 5,
  /** Every job before `id` is acknowledged, or was dropped with a record of its own. */
  jobsSettled: 6,
  /** `extra` is its delivery count. */
  jobDone: 7,
  jobDropped: 8,
  /** Every message before `id` was published or is about to be. */
  messagesPublished: 9,
  /** `number` is its sequence, `extra` the connection, modulo 256. */
  messageReceived: 10,
  /** `id` messages were lost, exactly. */
  messagesLost: 11,
  /** A connection was lost: nobody knows how many messages. */
  messagesGap: 12,
  /** The content was not what was sent under this id. */
  damaged: 13,
  /** A publisher told that `id` messages were dropped, because a subscriber was slow. */
  messagesDropped: 14,
} as const;

/** One of {@link events}. */
export type EventKind = (typeof events)[keyof typeof events];

/** One thing that happened in a process. `epoch` is the sender's: each restart of it has its own. */
export interface IdRecord {
  readonly kind: EventKind;
  readonly id: number;
  readonly epoch: number;
  readonly extra: number;
  readonly number: number;
}

const recordBytes = 16;

/**
 * What happened to which id, in a file that outlives its process: a record is in the kernel's hands
 * when {@link write} returns, so that SIGKILL takes none back.
 */
export class IdLog {
  readonly #file: number;
  readonly #record = Buffer.alloc(recordBytes);

  /** Appends to the file. */
  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(kind: EventKind, id: number, epoch: number, extra = 0, number = 0): void {
    const record = this.#record;
    record[0] = kind;
    record[1] = extra;
    record.writeUInt16LE(epoch, 2);
    record.writeUInt32LE(id, 4);
    record.writeUInt32LE(number, 8);
    writeSync(this.#file, record);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All whole records of a file, in their order; the last one may be torn. */
export function readIdLog(path: string): IdRecord[] {
  const bytes = readFileSync(path);
  const records: IdRecord[] = [];
  for (let at = 0; at + recordBytes <= bytes.length; at += recordBytes) {
    records.push({
      kind: bytes.readUInt8(at) as EventKind,
      extra: bytes.readUInt8(at + 1),
      epoch: bytes.readUInt16LE(at + 2),
      id: bytes.readUInt32LE(at + 4),
      number: bytes.readUInt32LE(at + 8),
    });
  }
  return records;
}
