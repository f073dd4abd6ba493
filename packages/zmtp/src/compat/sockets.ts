import { DealerSocket } from "../sockets/dealer.ts";
import { PairSocket } from "../sockets/pair.ts";
import { RouterSocket } from "../sockets/router.ts";
import { partsInner, PullParts, pullInner, PushParts, ReplyInner, RequestInner } from "./inner.ts";
import { partsOptionsOf } from "./inner-options.ts";
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
export type PushOptions = Some<keyof WritableOptions>;

/** Options of a {@link Pull}. */
export type PullOptions = Some<keyof ReadableOptions>;

/** Options of a {@link Pair}. */
export type PairOptions = PushOptions & PullOptions;

/** Options of a {@link Dealer} and a {@link Reply}. */
export type DealerOptions = PairOptions & Some<"routingId">;

/** Options of a {@link Request}. */
export type RequestOptions = DealerOptions & Some<"correlate">;

/** Options of a {@link Router}. */
export type RouterOptions = DealerOptions & Some<"handover" | "mandatory">;

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

  constructor(options: RequestOptions = {}) {
    super(
      "Request",
      [...both, "routingId", "correlate"],
      options,
      (transport, values) => new RequestInner(transport, values),
      { linger: 1_000 },
    );
  }
}

/** Answers: `receive`, then `send`. Several may be received first; answers go in their order. */
export class Reply extends DuplexSocket {
  declare routingId: string | null;

  constructor(options: DealerOptions = {}) {
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

  constructor(options: DealerOptions = {}) {
    super("Dealer", [...both, "routingId"], options, (transport, values) =>
      partsInner(new DealerSocket(transport, partsOptionsOf(values))),
    );
  }
}

/** Knows its peers by the first part of each message. */
export class Router extends DuplexSocket {
  declare routingId: string | null;
  declare mandatory: boolean;
  declare handover: boolean;

  constructor(options: RouterOptions = {}) {
    super(
      "Router",
      [...both, "routingId", "mandatory", "handover"],
      options,
      (transport, values) => {
        const { mandatory, handover } = values;
        return partsInner(
          new RouterSocket(transport, { ...partsOptionsOf(values), mandatory, handover }),
        );
      },
    );
  }
}

/** Gives each message to one Pull. */
export class Push extends WritableSocket {
  constructor(options: PushOptions = {}) {
    super("Push", writableNames, options, (transport, values) =>
      partsInner(new PushParts(transport, partsOptionsOf(values))),
    );
  }
}

/** Receives from every Push. */
export class Pull extends ReadableSocket {
  constructor(options: PullOptions = {}) {
    super("Pull", readableNames, options, (transport, values) =>
      pullInner(new PullParts(transport, partsOptionsOf(values))),
    );
  }
}
