import type { Transport } from "@msg-ts/core";
import { XPubSocket } from "../sockets/xpub.ts";
import type { Verbosity } from "../sockets/xpub.ts";
import { XSubSocket } from "../sockets/xsub.ts";
import { copyOf, emptyBytes } from "@msg-ts/core/building";
import { translated } from "./compat-error.ts";
import type { Inner } from "./inner.ts";
import { partsInner } from "./inner.ts";
import { partsOptionsOf } from "./inner-options.ts";
import { partsFrom } from "./message-like.ts";
import type { Values } from "./options.ts";
import {
  DuplexSocket,
  ReadableSocket,
  readableNames,
  WritableSocket,
  writableNames,
} from "./roles.ts";
import type { PairOptions, PullOptions, PushOptions } from "./sockets.ts";

/** Options of a {@link Publisher}. */
export type PublisherOptions = PushOptions & Partial<Pick<Values, "noDrop">>;

/** Options of a {@link Subscriber}. */
export type SubscriberOptions = PullOptions;

/** Options of an {@link XPublisher}. */
export type XPublisherOptions = PairOptions & Partial<Pick<Values, "noDrop" | "verbosity">>;

const verbosities: Readonly<Record<"allSubs" | "allSubsUnsubs", Verbosity>> = {
  allSubs: "all-subscriptions",
  allSubsUnsubs: "all",
};

/** Sends each message to those who subscribed to a beginning of its first part. */
export class Publisher extends WritableSocket {
  declare noDrop: boolean;
  /** Only the newest message for each subscriber is kept. */
  declare conflate: boolean;

  constructor(options: PublisherOptions = {}) {
    super("Publisher", [...writableNames, "noDrop", "conflate"], options, openPublisher);
  }
}

/** A {@link Publisher} that receives subscriptions too: a byte 1, or 0 for an end, and the prefix. */
export class XPublisher extends DuplexSocket {
  declare noDrop: boolean;
  declare verbosity: null | "allSubs" | "allSubsUnsubs";

  constructor(options: XPublisherOptions = {}) {
    const names = [...writableNames, ...readableNames, "noDrop", "verbosity"] as const;
    super("XPublisher", names, options, (transport, values) => partsInner(xpub(transport, values)));
  }
}

/** A change of subscriptions. */
type Change = (socket: XSubSocket) => void;

/** Receives what begins with what it subscribed to. */
export class Subscriber extends ReadableSocket {
  /** Only the newest message of each publisher is kept. */
  declare conflate: boolean;
  /** What it subscribed to before it was used: its options may still be set. */
  readonly #early: Change[];

  constructor(options: SubscriberOptions = {}) {
    const early: Change[] = [];
    const make = (transport: Transport, values: Values): Inner => {
      const socket = new XSubSocket(transport, partsOptionsOf(values));
      for (const change of early) change(socket);
      return partsInner(socket);
    };
    super("Subscriber", [...readableNames, "conflate"], options, make, { linger: 0 });
    this.#early = early;
  }

  /** Subscribes to prefixes; no argument is everything. Counted, as in zeromq.js. */
  subscribe(...prefixes: readonly (Uint8Array | string)[]): void {
    this.#change(prefixes, (prefix) => (socket) => socket.subscribe(prefix));
  }

  /** Takes back one `subscribe` of each. */
  unsubscribe(...prefixes: readonly (Uint8Array | string)[]): void {
    this.#change(prefixes, (prefix) => (socket) => socket.unsubscribe(prefix));
  }

  #change(
    prefixes: readonly (Uint8Array | string)[],
    changeOf: (prefix: Uint8Array) => Change,
  ): void {
    const changes = (prefixes.length === 0 ? [""] : prefixes).map((prefix) => {
      const [bytes = emptyBytes] = partsFrom(prefix);
      return changeOf(copyOf(bytes));
    });
    if (!this.isUsed && !this.closed) {
      this.#early.push(...changes);
      return;
    }
    const socket = this.inner.socket as XSubSocket;
    translated(() => {
      for (const change of changes) change(socket);
    });
  }
}

/** Receives as a {@link Subscriber} does, and subscribes by messages. */
export class XSubscriber extends DuplexSocket {
  constructor(options: PairOptions = {}) {
    super("XSubscriber", [...writableNames, ...readableNames], options, openSubscriber, {
      linger: 0,
    });
  }
}

function openSubscriber(transport: Transport, values: Values): Inner {
  return partsInner(new XSubSocket(transport, partsOptionsOf(values)));
}

/** Nobody asks a Publisher who subscribed, so it must not stop at what it is told. */
function openPublisher(transport: Transport, values: Values): Inner {
  const socket = xpub(transport, values);
  void forget(socket);
  return partsInner(socket);
}

async function forget(socket: XPubSocket): Promise<void> {
  const batches = socket.batches();
  while ((await batches.next()).done !== true);
}

function xpub(transport: Transport, values: Values): XPubSocket {
  const { noDrop, verbosity } = values;
  return new XPubSocket(transport, {
    ...partsOptionsOf(values),
    noDrop,
    verbosity: verbosity === null ? undefined : verbosities[verbosity],
  });
}
