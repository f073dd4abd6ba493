import { DealerSocket } from "../sockets/dealer.ts";
import { PairSocket } from "../sockets/pair.ts";
import { RouterSocket } from "../sockets/router.ts";
import { partsInner, PullParts, pullInner, PushParts } from "./inner.ts";
import { partsOptionsOf } from "./inner-options.ts";
import { ReplyInner } from "./reply-inner.ts";
import { RequestInner } from "./request-inner.ts";
import type { CommonOptions, ReadableOptions, Values, WritableOptions } from "./options.ts";
import {
  DuplexSocket,
  ReadableSocket,
  readableNames,
  WritableSocket,
  writableNames,
} from "./roles.ts";

type Some<Own extends keyof Values = never> = Partial<CommonOptions & Pick<Values, Own>>;

/** Options of a {@link Push}. */
export type PushOptions = Some<keyof WritableOptions | "conflate">;

/** Options of a {@link Pull}. */
export type PullOptions = Some<keyof ReadableOptions | "conflate">;

/** Options of a {@link Pair}. */
export type PairOptions = Some<keyof WritableOptions | keyof ReadableOptions>;

/** Options of a {@link Reply}. */
export type ReplyOptions = PairOptions & Some<"routingId">;

/** Options of a {@link Dealer}. */
export type DealerOptions = ReplyOptions & Some<"conflate" | "probeRouter">;

/** Options of a {@link Request}. */
export type RequestOptions = ReplyOptions & Some<"correlate" | "probeRouter" | "relaxed">;

/** Options of a {@link Router}. */
export type RouterOptions = ReplyOptions & Some<"handover" | "mandatory" | "probeRouter">;

/** How a {@link Router} connects. */
export interface RouterConnectOptions {
  /** The name to know the peer by that is reached there. */
  readonly routingId?: string | Uint8Array;
}

const both: readonly (keyof Values)[] = [...writableNames, ...readableNames];

/** Talks to one other Pair. */
export class Pair extends DuplexSocket {
  constructor(options: PairOptions = {}) {
    super("Pair", both, options, (transport, values) =>
      partsInner(new PairSocket(transport, partsOptionsOf(values))),
    );
  }
}

/** Asks: `send`, then `receive`. Several `send` may be under way; answers come in their order. */
export class Request extends DuplexSocket {
  declare routingId: string | null;
  declare correlate: boolean;
  declare probeRouter: boolean;
  /** A later question takes the place of an earlier one, whose answer is nobody's then. */
  declare relaxed: boolean;

  constructor(options: RequestOptions = {}) {
    super(
      "Request",
      [...both, "routingId", "correlate", "probeRouter", "relaxed"],
      options,
      (transport, values) => new RequestInner(transport, values),
      { linger: 1_000 },
    );
  }
}

/** Answers: `receive`, then `send`. Several may be received first; answers go in their order. */
export class Reply extends DuplexSocket {
  declare routingId: string | null;

  constructor(options: ReplyOptions = {}) {
    super(
      "Reply",
      [...both, "routingId"],
      options,
      (transport, values) => new ReplyInner(transport, values),
      { linger: 1_000 },
    );
  }
}

/** Sends to its peers in turn, and receives from all. */
export class Dealer extends DuplexSocket {
  declare routingId: string | null;
  declare probeRouter: boolean;
  /** Only the newest message is kept, each way. */
  declare conflate: boolean;

  constructor(options: DealerOptions = {}) {
    super(
      "Dealer",
      [...both, "routingId", "probeRouter", "conflate"],
      options,
      (transport, values) => partsInner(new DealerSocket(transport, partsOptionsOf(values))),
    );
  }
}

/** Knows its peers by the first part of each message. */
export class Router extends DuplexSocket {
  declare routingId: string | null;
  declare mandatory: boolean;
  declare handover: boolean;
  declare probeRouter: boolean;

  constructor(options: RouterOptions = {}) {
    super(
      "Router",
      [...both, "routingId", "mandatory", "handover", "probeRouter"],
      options,
      (transport, values) => {
        const { mandatory, handover } = values;
        return partsInner(
          new RouterSocket(transport, { ...partsOptionsOf(values), mandatory, handover }),
        );
      },
    );
  }

  /** Keeps an address connected. @throws CompatError `EINVAL`, `EPROTONOSUPPORT`, `EBADF` */
  override connect(address: string, options: RouterConnectOptions = {}): void {
    this.dial(address, (socket) => (socket as RouterSocket).connect(address, options));
  }
}

/** Gives each message to one Pull. */
export class Push extends WritableSocket {
  /** Only the newest message is kept. */
  declare conflate: boolean;

  constructor(options: PushOptions = {}) {
    super("Push", [...writableNames, "conflate"], options, (transport, values) =>
      partsInner(new PushParts(transport, partsOptionsOf(values))),
    );
  }
}

/** Receives from every Push. */
export class Pull extends ReadableSocket {
  /** Only the newest message of each Push is kept. */
  declare conflate: boolean;

  constructor(options: PullOptions = {}) {
    super("Pull", [...readableNames, "conflate"], options, (transport, values) =>
      pullInner(new PullParts(transport, partsOptionsOf(values))),
    );
  }
}
