/**
 * Small faults that a process of a campaign can be started with, to see that its account notices them.
 * One is put in before any socket is made, by its name in the environment.
 */
import type { PeerInfo } from "msg-ts";
import { Socket } from "../../packages/core/src/socket/socket.ts";
import { PubPeer } from "../../packages/core/src/socket/pub-sub/pub-peer.ts";
import { PubSocket } from "../../packages/core/src/socket/pub-sub/pub.ts";
import { SubSocket } from "../../packages/core/src/socket/pub-sub/sub.ts";
import { PullSocket } from "../../packages/core/src/socket/push-pull/pull.ts";
import { JobDispatcher } from "../../packages/core/src/socket/push-pull/push-dispatcher.ts";
import { ReturnedJobs } from "../../packages/core/src/socket/push-pull/push-returned.ts";
import { PushSocket } from "../../packages/core/src/socket/push-pull/push.ts";
import { RepSocket } from "../../packages/core/src/socket/req-rep/rep.ts";
import { PublishedWriter } from "../../packages/core/src/wire/msg/publish-subscribe.ts";

/** The variable that names faults, separated by commas. */
const plantedVariable = "MSG_TS_PLANTED_FAULTS";

/** Each so many times it happens. */
const rarity = 40;

/** From this number on the end of what is published is lost. */
const lastPublished = 200;

type Method = (this: never, ...given: never[]) => unknown;

/** Puts another method in the place of one, which it is given. */
function replace(
  prototype: object,
  name: string,
  replacement: (original: (...given: unknown[]) => unknown) => Method,
): void {
  const original = (prototype as Readonly<Record<string, unknown>>)[name];
  if (typeof original !== "function") throw new Error(`there is no ${name}`);
  const value = replacement(original as (...given: unknown[]) => unknown);
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}

/** True each {@link rarity}th time. */
function sometimes(): () => boolean {
  let count = 0;
  return () => ++count % rarity === 0;
}

/** Puts another handler in the place of the one that a socket is given. */
function handler(
  prototype: object,
  name: "consume" | "serve",
  change: (given: (item: unknown) => unknown) => (item: unknown) => unknown,
): void {
  replace(
    prototype,
    name,
    (original) =>
      function (this: unknown, given: (item: unknown) => unknown, ...more: unknown[]) {
        return original.call(this, change(given), ...more);
      },
  );
}

function skipped(given: (item: unknown) => unknown): (item: unknown) => unknown {
  const isTime = sometimes();
  return (item) => (isTime() ? undefined : given(item));
}

function doubled(given: (item: unknown) => unknown): (item: unknown) => unknown {
  const isTime = sometimes();
  return (item) => {
    if (isTime()) given(item);
    return given(item);
  };
}

function nothing(): Method {
  return () => undefined;
}

/** Puts in each by its name. */
const plantedFaults = {
  "a message is left out": () => {
    const isTime = sometimes();
    replace(
      PubSocket.prototype,
      "publish",
      (publish) =>
        function (this: unknown, ...given: unknown[]) {
          return isTime() ? undefined : publish.call(this, ...given);
        },
    );
  },
  "a message takes a number and is not written": () => {
    const isTime = sometimes();
    for (const name of ["publish", "publishBatch"]) {
      replace(
        PublishedWriter.prototype,
        name,
        (write) =>
          function (this: unknown, ...given: unknown[]) {
            return isTime() ? undefined : write.call(this, ...given);
          },
      );
    }
  },
  "a drop is told twice": () =>
    replace(
      PubPeer.prototype,
      "takeLosses",
      (take) =>
        function (this: unknown) {
          return 2 * Number(take.call(this));
        },
    ),
  "a drop is counted twice": () =>
    replace(
      Socket.prototype,
      "countDrop",
      (count) =>
        function (this: unknown, ...given: unknown[]) {
          count.call(this, ...given);
          count.call(this, ...given);
        },
    ),
  "a gap is not told": () => replace(SubSocket.prototype, "onGap", nothing),
  "a gap is told twice": () =>
    replace(
      SubSocket.prototype,
      "onGap",
      (onGap) =>
        function (this: unknown, peer: PeerInfo, lost: number) {
          onGap.call(this, peer, 2 * lost);
        },
    ),
  "a gap is told and counts for nothing": () =>
    replace(
      SubSocket.prototype,
      "stats",
      (stats) =>
        function (this: unknown) {
          return { ...(stats.call(this) as object), lost: 0 };
        },
    ),
  "the gap of a lost connection is not told": () =>
    replace(
      Socket.prototype,
      "emit",
      (emit) =>
        function (this: unknown, name: string, detail: { readonly lost?: number }) {
          if (name !== "gap" || detail.lost !== undefined) emit.call(this, name, detail);
        },
    ),
  "the end of what was published is lost": () => {
    replace(PublishedWriter.prototype, "mark", nothing);
    for (const name of ["publish", "publishBatch"]) {
      replace(
        PublishedWriter.prototype,
        name,
        (write) =>
          function (this: unknown, what: unknown, sequence: number) {
            if (sequence < lastPublished) write.call(this, what, sequence);
          },
      );
    }
  },
  "a message is given twice": () => handler(SubSocket.prototype, "consume", doubled),
  "a job is acknowledged that nobody did": () => handler(PullSocket.prototype, "consume", skipped),
  "a job is done twice": () => handler(PullSocket.prototype, "consume", doubled),
  "jobs are settled before they are done": () =>
    replace(PushSocket.prototype, "settled", () => () => Promise.resolve()),
  "an acknowledgement is counted twice": () => {
    const original = Object.getOwnPropertyDescriptor(JobDispatcher.prototype, "counts");
    Object.defineProperty(JobDispatcher.prototype, "counts", {
      get(this: JobDispatcher) {
        const counts = original?.get?.call(this) as { readonly acknowledged: number };
        const { acknowledged } = counts;
        return { ...counts, acknowledged: acknowledged + Math.floor(acknowledged / rarity) };
      },
    });
  },
  "a delivery is not counted": () =>
    replace(
      ReturnedJobs.prototype,
      "addLost",
      (addLost) =>
        function (this: unknown, job: { earlierDeliveries: number }) {
          job.earlierDeliveries = 0;
          addLost.call(this, job);
        },
    ),
  "a request runs twice": () => handler(RepSocket.prototype, "serve", doubled),
  "a request is answered that did not run": () =>
    handler(RepSocket.prototype, "serve", (given) => {
      const isTime = sometimes();
      return (item) =>
        isTime() ? (item as { readonly payload: Uint8Array }).payload : given(item);
    }),
  "an answer is damaged": () =>
    handler(RepSocket.prototype, "serve", (given) => {
      const isTime = sometimes();
      return (item) => {
        const answer = Uint8Array.from(given(item) as Uint8Array);
        if (isTime()) answer.fill(0, answer.length - 1);
        return answer;
      };
    }),
} satisfies Readonly<Record<string, () => void>>;

/** One of the faults that can be planted. */
export type PlantedFault = keyof typeof plantedFaults;

/** What each process of a campaign is started with. */
export type Planted = Readonly<
  Partial<Record<"server" | "client" | "pusher" | "puller", PlantedFault>>
>;

/** The environment of a process with a fault. */
export function environmentOf(fault: PlantedFault | undefined): Readonly<Record<string, string>> {
  return fault === undefined ? {} : { [plantedVariable]: fault };
}

/** Puts in what the environment says. */
export function plant(environment: Readonly<Record<string, string | undefined>>): void {
  const name = environment[plantedVariable];
  if (name === undefined) return;
  if (!Object.hasOwn(plantedFaults, name)) throw new Error(`there is no fault "${name}"`);
  plantedFaults[name as PlantedFault]();
}
