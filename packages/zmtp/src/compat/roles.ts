import type { Message, MessageLike } from "./message-like.ts";
import type { ReadableOptions, Values, WritableOptions } from "./options.ts";
import { Socket } from "./socket.ts";

/** A socket that sends. */
export interface Writable extends WritableOptions {
  /**
   * Sends one part, or several as one message. Calls may overlap: they are sent in their order.
   *
   * Rejects with `EAGAIN` after `sendTimeout`, `EBADF` when it is closed.
   */
  send(message: MessageLike | readonly MessageLike[]): Promise<void>;
}

/** A socket that receives. */
export interface Readable extends ReadableOptions, AsyncIterable<Message[]> {
  /**
   * Takes the next message. Calls may overlap: they are served in their order.
   *
   * Rejects with `EAGAIN` after `receiveTimeout`, `EBADF` when it is closed.
   */
  receive(): Promise<Message[]>;
}

/** Options of a {@link Writable}. */
export const writableNames: readonly (keyof Values)[] = ["sendHighWaterMark", "sendTimeout"];

/** Options of a {@link Readable}. */
export const readableNames: readonly (keyof Values)[] = ["receiveHighWaterMark", "receiveTimeout"];

/** What only sends. */
export abstract class WritableSocket extends Socket implements Writable {
  declare sendHighWaterMark: number;
  declare sendTimeout: number;

  send(message: MessageLike | readonly MessageLike[]): Promise<void> {
    return this.sendParts(message);
  }
}

/** What only receives. */
export abstract class ReadableSocket extends Socket implements Readable {
  declare receiveHighWaterMark: number;
  declare receiveTimeout: number;

  receive(): Promise<Message[]> {
    return this.receiveParts();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message[], undefined> {
    return this.iterate();
  }
}

/** What does both. */
export abstract class DuplexSocket extends WritableSocket implements Readable {
  declare receiveHighWaterMark: number;
  declare receiveTimeout: number;

  receive(): Promise<Message[]> {
    return this.receiveParts();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Message[], undefined> {
    return this.iterate();
  }
}
