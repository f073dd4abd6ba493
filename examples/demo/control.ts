import type { TransportName } from "./options.ts";

/*
 * What main and its children say to each other beside the demo itself: over the channel that Node.js
 * opens between parent and child, so that a child notices when main is gone, whatever happened.
 */

/** Of a child to main. */
export type FromRole<Progress, Report> =
  /** It can be used; `endpoint` is where it listens, when it does. */
  | { readonly kind: "ready"; readonly endpoint: string | undefined }
  | { readonly kind: "progress"; readonly progress: Progress }
  /** The last one: it ends by itself now. */
  | { readonly kind: "report"; readonly report: Report };

/** Of main to a child. */
export type ToRole = { readonly kind: "start" } | { readonly kind: "stop" };

/** What every role is started with. */
export interface RoleSettings {
  readonly transport: TransportName;
}

/** A role that listens. */
export interface BoundSettings extends RoleSettings {
  readonly bindTo: string;
}

export interface SubscriberSettings extends RoleSettings {
  readonly name: string;
  readonly publisher: string;
  readonly pattern: string;
}

export interface WorkerSettings extends RoleSettings {
  readonly name: string;
  readonly jobs: string;
  readonly results: string;
  /** How many jobs it may hold. */
  readonly window: number;
}

/** How often each topic came or went. */
export type TopicCounts = Readonly<Record<string, number>>;

export interface PublisherProgress {
  readonly published: number;
  readonly topics: number;
}

export interface PublisherReport {
  readonly published: TopicCounts;
}

export interface SubscriberProgress {
  readonly received: number;
  readonly lost: number;
  /** The latest value of each topic. */
  readonly latest: TopicCounts;
}

export interface SubscriberReport {
  readonly pattern: string;
  readonly received: TopicCounts;
  /** Dropped on the way, and counted by their numbers. */
  readonly lost: number;
  /** Times that the connection was lost: nobody knows how many messages with it. */
  readonly uncountedGaps: number;
  readonly disordered: number;
  readonly unreadable: number;
}

export interface ServiceProgress {
  readonly answered: number;
}

export interface ServiceReport {
  readonly answered: number;
}

export interface WorkerProgress {
  readonly done: number;
}

export interface WorkerReport {
  readonly done: number;
  /** Results that main did not acknowledge. */
  readonly unacknowledged: number;
}

/** Published last: when it has come, everything before it has. */
export const endTopic = "control.end";

/** What the service is asked, as JSON. */
export type Question = { readonly ask: "hash"; readonly text: string } | { readonly ask: "status" };

export interface HashAnswer {
  readonly sha256: string;
}

export interface StatusAnswer {
  readonly pid: number;
  readonly uptimeSeconds: number;
}
