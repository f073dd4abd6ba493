import { Dialer } from "../../packages/core/src/connection/dialer.ts";
import { Endpoints } from "../../packages/core/src/socket/endpoints.ts";
import type { Peer } from "../../packages/core/src/socket/peer.ts";
import { EventHub } from "../../packages/core/src/socket/event-hub.ts";
import { LeftBehind } from "../../packages/core/src/socket/left-behind.ts";
import { PubPeerQueue } from "../../packages/core/src/socket/pub-sub/pub-peer-queue.ts";
import { PubPeer } from "../../packages/core/src/socket/pub-sub/pub-peer.ts";
import { SubPeer } from "../../packages/core/src/socket/pub-sub/sub-peer.ts";
import { SubSocket } from "../../packages/core/src/socket/pub-sub/sub.ts";
import { PullPeer } from "../../packages/core/src/socket/push-pull/pull-peer.ts";
import { JobDispatcher } from "../../packages/core/src/socket/push-pull/push-dispatcher.ts";
import { PushPeer } from "../../packages/core/src/socket/push-pull/push-peer.ts";
import { ReturnedJobs } from "../../packages/core/src/socket/push-pull/push-returned.ts";
import { WaitingSends } from "../../packages/core/src/socket/push-pull/push-waiting.ts";
import { ReceiveSource } from "../../packages/core/src/socket/receive-queue.ts";
import { RequestDispatcher } from "../../packages/core/src/socket/req-rep/request-dispatcher.ts";
import { RequestTable } from "../../packages/core/src/socket/req-rep/request-table.ts";
import { SilenceWatch } from "../../packages/core/src/socket/silence-watch.ts";
import { ValueCodec } from "../../packages/core/src/socket/value-codec.ts";
import { PublishedWriter } from "../../packages/core/src/wire/msg/publish-subscribe.ts";
import { RequestReplyWriter } from "../../packages/core/src/wire/msg/request-reply.ts";
import type { Pattern } from "./simulate.ts";

/** A small fault in the library, and the pattern in which it shows. */
export interface Mutation {
  readonly name: string;
  readonly pattern: Pattern;
  /** What the simulation says of it. */
  readonly shows: RegExp;
  /** Where to look for it first, when it shows in few. @defaultValue 1 */
  readonly firstSeed?: number;
  /** Puts it in; gives what takes it out again. */
  apply(): () => void;
}

/** Puts another method in the place of one, which it is given. */
function method<T extends object, Name extends keyof T & string>(
  { prototype }: { readonly prototype: T },
  name: Name,
  replacement: (original: T[Name]) => T[Name],
): () => void {
  const original = prototype[name];
  const put = (value: T[Name]): void => {
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
  };
  put(replacement(original));
  return () => put(original);
}

function getter<T extends object>(
  prototype: T,
  name: string,
  value: (this: T) => unknown,
): () => void {
  const original = Object.getOwnPropertyDescriptor(prototype, name);
  if (original === undefined) throw new Error(`there is no ${name}`);
  Object.defineProperty(prototype, name, { configurable: true, get: value });
  return () => {
    Object.defineProperty(prototype, name, original);
  };
}

const nothing = () => (): never => undefined as never;

/** Deliberate faults, one for each kind of promise. */
export const mutations: readonly Mutation[] = [
  {
    name: "a REP answers twice",
    pattern: "req-rep",
    shows: /a reply to \d+ is written that nobody waits for/,
    apply: () =>
      method(
        RequestReplyWriter,
        "reply",
        (reply) =>
          function (this: RequestReplyWriter, id, compression, payload) {
            reply.call(this, id, compression, payload);
            if (id % 7 === 3) reply.call(this, id, compression, payload);
          },
      ),
  },
  {
    name: "an answer is given to another request",
    pattern: "req-rep",
    shows: /got the answer to/,
    apply: () =>
      method(
        RequestTable,
        "find",
        (find) =>
          function (this: RequestTable<unknown>, id) {
            const other = find.call(this, id ^ 1);
            return other?.target === undefined ? find.call(this, id) : other;
          },
      ),
  },
  {
    name: "a request is sent again that may run only once",
    pattern: "req-rep",
    shows: /runs 2 times, without retry/,
    apply: () =>
      method(
        RequestTable,
        "add",
        (add) =>
          function (this: RequestTable<unknown>, payload, timeoutMs) {
            return add.call(this, payload, timeoutMs, true);
          },
      ),
  },
  {
    name: "a deadline is forgotten",
    pattern: "req-rep",
    shows: /has no end by|something that was begun has no end/,
    apply: () => method(RequestTable, "stamp", nothing),
  },
  {
    name: "an abort is not heard",
    pattern: "req-rep",
    shows: /has no end by/,
    apply: () => method(RequestTable, "watch", nothing),
  },
  {
    name: "a timer stays armed after close",
    pattern: "req-rep",
    shows: /timers armed/,
    apply: () => method(RequestTable, "close", nothing),
  },
  {
    name: "close leaves requests without an end",
    pattern: "req-rep",
    shows: /timers armed|closed with pending|has no end by/,
    apply: () =>
      method(RequestDispatcher, "rejectAll", () => () => ({ unsent: 0, unacknowledged: 0 })),
  },
  {
    name: "a lost connection is not dialed again",
    pattern: "req-rep",
    shows: /has \d+ peers of/,
    apply: () => method(Dialer, "onConnectionClosed", nothing),
  },
  {
    name: "a socket that is bound does not dial",
    pattern: "req-rep",
    shows: /has \d+ peers of/,
    apply: () =>
      method(
        Endpoints,
        "connect",
        (connect) =>
          function (this: Endpoints<Peer>, address) {
            if (this.addresses.length === 0) connect.call(this, address);
          },
      ),
  },
  {
    name: "an endpoint that was given up is kept, and nobody is told",
    pattern: "push-pull",
    shows: /has \d+ peers of/,
    apply: () => method(Endpoints, "onGivenUp", nothing),
  },
  {
    name: "a dialer tells of too many failures",
    pattern: "push-pull",
    shows: /tries again after|gives up after/,
    apply: () =>
      method(
        Endpoints,
        "onRetry",
        (onRetry) =>
          function (this: Endpoints<Peer>, dialer, error, attempt, delayMs) {
            onRetry.call(this, dialer, error, attempt + 1, delayMs);
          },
      ),
  },
  {
    name: "a peer that is silent for too long is kept",
    pattern: "push-pull",
    shows: /keeps a peer that is silent/,
    apply: () => method(SilenceWatch, "start", nothing),
  },
  {
    name: "a message is not decoded",
    pattern: "push-pull",
    shows: /has a value that its codec did not make/,
    apply: () => method(ValueCodec, "decode", nothing),
  },
  {
    name: "an event is told twice",
    pattern: "req-rep",
    shows: /"disconnected" of a peer that was not connected|"connected" twice/,
    apply: () =>
      method(
        EventHub,
        "emit",
        (emit) =>
          function (this: EventHub<object>, name, detail) {
            emit.call(this, name, detail);
            if (String(name) === "disconnected") emit.call(this, name, detail);
          },
      ),
  },
  {
    name: "a returned job is lost",
    pattern: "push-pull",
    shows: /were accepted/,
    apply: () => method(ReturnedJobs, "addLost", nothing),
  },
  {
    name: "an acknowledged job is given out again",
    pattern: "push-pull",
    shows: /is written again, it was acknowledged/,
    apply: () =>
      method(
        PushPeer,
        "onAcknowledged",
        () =>
          function (this: PushPeer, sequence, count) {
            this.onRefused(sequence, count);
          },
      ),
  },
  {
    name: "deliveries are not counted",
    pattern: "push-pull",
    shows: /earlier deliveries, had/,
    apply: () =>
      method(
        ReturnedJobs,
        "addLost",
        (addLost) =>
          function (this: ReturnedJobs<unknown>, job) {
            job.earlierDeliveries = 0;
            addLost.call(this, job);
          },
      ),
  },
  {
    name: "waiting sends have no bound",
    pattern: "push-pull",
    shows: /sends wait, maxWaiting is/,
    apply: () => method(WaitingSends, "assertRoom", nothing),
  },
  {
    name: "a PULL's window is not kept",
    pattern: "push-pull",
    shows: /unsettled/,
    apply: () => getter(PushPeer.prototype, "hasRoom", () => true),
  },
  {
    name: "a job that nobody did is acknowledged",
    pattern: "push-pull",
    shows: /is acknowledged, nobody did it/,
    apply: () =>
      method(
        PullPeer,
        "refuse",
        () =>
          function (this: PullPeer<unknown>, sequence) {
            return this.acknowledge(sequence);
          },
      ),
  },
  {
    name: "the report of close() forgets what never left",
    pattern: "push-pull",
    shows: /closed: .* were accepted/,
    apply: () =>
      method(
        JobDispatcher,
        "close",
        (close) =>
          function (this: JobDispatcher, error) {
            return { ...close.call(this, error), unsent: 0 };
          },
      ),
  },
  {
    name: "what is denied is subscribed to all the same",
    pattern: "pub-sub",
    shows: /late, or to who did not ask/,
    apply: () =>
      method(
        PubPeer,
        "deny",
        (deny) =>
          function (this: PubPeer, topic, error) {
            deny.call(this, topic, error);
            const undo = method(PublishedWriter, "subscribed", nothing);
            this.onSubscribe(topic);
            undo();
          },
      ),
  },
  {
    name: "a gap is told one too large",
    pattern: "pub-sub",
    shows: /its SUB tells of/,
    apply: () =>
      method(
        SubSocket,
        "onGap",
        (onGap) =>
          function (this: SubSocket, peer, lost) {
            onGap.call(this, peer, lost + 1);
          },
      ),
  },
  {
    name: "what is dropped takes no number",
    pattern: "pub-sub",
    shows: /lost on link|tells of/,
    apply: () =>
      getter(PubPeerQueue.prototype, "sequence", function (this: PubPeerQueue) {
        const { size } = this;
        return Math.max(0, size - 1);
      }),
  },
  {
    name: "a subscriber's queue has no bound",
    pattern: "pub-sub",
    shows: /queues \d+/,
    apply: () => getter(PubPeer.prototype, "hasRoom", () => true),
  },
  {
    name: "what peers that are gone left has no bound",
    pattern: "pub-sub",
    shows: /SUB\S+ queues \d+/,
    firstSeed: 195,
    apply: () => method(LeftBehind, "add", nothing),
  },
  {
    name: "the loss of a tail is never told",
    pattern: "pub-sub",
    shows: /lost on link .* before its end|though all is well/,
    apply: () => method(PublishedWriter, "mark", nothing),
  },
  {
    name: "messages are taken in the wrong order",
    pattern: "pub-sub",
    shows: /is given behind/,
    apply: () =>
      method(
        ReceiveSource,
        "shift",
        (shift) =>
          function (this: ReceiveSource<unknown>) {
            const { items } = this;
            if (items.size > 1) items.push(items.shift());
            return shift.call(this);
          },
      ),
  },
  {
    name: "a subscriber that comes back does not subscribe again",
    pattern: "pub-sub",
    shows: /is not subscribed/,
    apply: () =>
      method(
        SubPeer,
        "introduce",
        (introduce) =>
          function (this: SubPeer<unknown>, _topics, micros) {
            introduce.call(this, [], micros);
          },
      ),
  },
];
