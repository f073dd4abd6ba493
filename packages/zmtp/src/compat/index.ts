/** The class names, options and events of zeromq.js 6 over our sockets: docs/zeromq-js.md. */
import { curveKeyPair as makeKeyPair } from "../mechanisms/curve-keys.ts";
import type { CurveKeyPair } from "../mechanisms/curve-keys.ts";

export type { CurveKeyPair } from "../mechanisms/curve-keys.ts";
export { CompatError } from "./compat-error.ts";
export type { CompatErrorCode } from "./compat-error.ts";
export type { Message, MessageLike } from "./message-like.ts";
export { Observer } from "./observer.ts";
export type { Event, EventOfType, EventType } from "./observer.ts";
export type { Authenticate, CommonOptions, ReadableOptions, WritableOptions } from "./options.ts";
export { Proxy } from "./proxy.ts";
export { Publisher, Subscriber, XPublisher, XSubscriber } from "./publishing.ts";
export type { PublisherOptions, SubscriberOptions, XPublisherOptions } from "./publishing.ts";
export type { Readable, Writable } from "./roles.ts";
export { Socket } from "./socket.ts";
export { Dealer, Pair, Pull, Push, Reply, Request, Router } from "./sockets.ts";
export type {
  DealerOptions,
  PairOptions,
  PullOptions,
  PushOptions,
  ReplyOptions,
  RequestOptions,
  RouterConnectOptions,
  RouterOptions,
} from "./sockets.ts";

/** What there is of what zeromq.js asks libzmq for. */
export const capability: { readonly ipc: true; readonly curve: true } = { ipc: true, curve: true };

/** Makes a pair of CURVE keys, as Z85. */
export function curveKeyPair(): CurveKeyPair {
  return makeKeyPair();
}
