import type { NaiveFrame } from "@msg-ts/testing";
import type { SinkByType, SocketType } from "../../src/contracts/protocol.ts";
import type { MsgError } from "../../src/errors.ts";

/** What a sink was told, in the oracle's words. */
export interface Recording<Type extends SocketType> {
  readonly sink: SinkByType[Type];
  readonly frames: NaiveFrame[];
  /** Of frames that could not be read, in order. */
  readonly errors: MsgError[];
  /** Payloads as they were given, not copied. */
  readonly payloads: Uint8Array[];
}

/** Makes a sink that writes down what it hears. Decompressed payloads have compression 0. */
export function recordingSink<Type extends SocketType>(type: Type): Recording<Type> {
  const frames: NaiveFrame[] = [];
  const errors: MsgError[] = [];
  const payloads: Uint8Array[] = [];
  const copied = (payload: Uint8Array): Uint8Array => {
    payloads.push(payload);
    return new Uint8Array(payload);
  };
  const unreadable = (number: number, error: MsgError): void => {
    errors.push(error);
    frames.push({ type: "unreadable", number });
  };
  const sinks: SinkByType = {
    REQ: {
      onReply: (id, payload) =>
        frames.push({ type: "reply", id, compression: 0, payload: copied(payload) }),
      onReplyError: (id, error) => {
        if (error.code !== "MSG_REMOTE") return unreadable(id, error);
        errors.push(error);
        const { remoteCode: code = "", message } = error;
        frames.push({ type: "error reply", id, code, message });
        return undefined;
      },
      onReplyRefused: (id) =>
        frames.push({ type: "error reply", id, code: "MSG_DRAINING", message: "" }),
      onGoodbye: () =>
        frames.push({ type: "error reply", id: 0xffff_ffff, code: "MSG_DRAINING", message: "" }),
    },
    REP: {
      onRequest: (id, payload) =>
        frames.push({ type: "request", id, compression: 0, payload: copied(payload) }),
      onBadRequest: unreadable,
    },
    PUB: {
      onSubscribe: (topic) => frames.push({ type: "subscribe", topic, timeMicros: 0 }),
      onUnsubscribe: (topic) => frames.push({ type: "unsubscribe", topic, timeMicros: 0 }),
      onSubscribePrefix: (topic) => frames.push({ type: "subscribe", topic, timeMicros: 0 }),
      onUnsubscribePrefix: (topic) => frames.push({ type: "unsubscribe", topic, timeMicros: 0 }),
      onExtensions: () => frames.push({ type: "extensions" }),
      onIgnored: () => frames.push({ type: "ignored" }),
    },
    SUB: {
      onMessage: (topic, timeMicros, sequence, payload) =>
        frames.push({
          type: "message",
          topic,
          timeMicros,
          sequence,
          compression: 0,
          payload: copied(payload),
        }),
      onBadMessage: (_topic, sequence, error) => unreadable(sequence, error),
      onMark: (sequence) => frames.push({ type: "mark", sequence }),
      onSubscribed: (topic, sequence) => frames.push({ type: "subscribed", topic, sequence }),
      onDenied: (topic, sequence) => frames.push({ type: "denied", topic, sequence }),
      onBye: (sequence) => frames.push({ type: "publisher drains", sequence }),
    },
    PUSH: {
      onWindow: (count) => frames.push({ type: "window", count }),
      onAcknowledged: (sequence, count) => frames.push({ type: "ack", sequence, count }),
      onRefused: (sequence, count) => frames.push({ type: "nack", sequence, count }),
      onBye: () => frames.push({ type: "pull drains" }),
    },
    PULL: {
      onJob: (sequence, earlierDeliveries, payload) =>
        frames.push({
          type: "job",
          sequence,
          earlierDeliveries,
          compression: 0,
          payload: copied(payload),
        }),
      onBadJob: unreadable,
    },
  };
  return { sink: sinks[type], frames, errors, payloads };
}
