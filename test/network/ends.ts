import type { TransportChoice } from "./transports.ts";

/** Where the three sockets of the server are. */
export interface Addresses {
  readonly rep: string;
  readonly pull: string;
  readonly pub: string;
}

/** What a PULL did. */
export interface JobReport {
  readonly done: number;
  readonly bytes: number;
  /** Delivered again: at least once is what PUSH promises. */
  readonly duplicates: number;
  readonly digest: string;
}

/** What a REQ saw. */
export interface RequestReport {
  readonly answered: number;
  /** Answered with something else than the hash of what was asked. */
  readonly wrong: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What a PUSH did; it ends when every job is acknowledged. */
export interface PushReport {
  readonly sent: number;
  readonly digest: string;
  readonly seconds: number;
}

/** What a SUB saw since it was asked last. */
export interface SubReport {
  readonly received: number;
  /** Numbers that did not come, below the highest that did. */
  readonly missing: number;
  readonly outOfOrder: number;
  readonly wrong: number;
  /** What the socket itself says it lost, and how often it could not know how much. */
  readonly lost: number;
  readonly uncountedGaps: number;
}

/** What a process holds, behind a collection of garbage. */
export interface Memory {
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Sockets, timers and whatever else keeps a process alive. */
  readonly handles: number;
}

/** How requests are made. */
export interface RequestOrder {
  readonly count: number;
  readonly inFlight: number;
  readonly bytes: number;
  readonly timeoutMs: number;
}

/** What is pushed or published. */
export interface PushOrder {
  readonly count: number;
  readonly bytes: number;
  /** One so often, instead of as many as go. */
  readonly everyMs?: number;
}

/** What `children/server.ts` does. */
export interface ServerCalls {
  readonly [name: string]: (argument: never) => unknown;
  bind(choice: TransportChoice & { readonly hosts: readonly string[] }): Promise<Addresses>;
  /** What came since the last call. */
  jobs(): JobReport;
  /** How many different jobs came, and which; not forgotten. */
  doneCount(): number;
  doneNumbers(): number[];
  publish(order: PushOrder): Promise<void>;
  waitForSubscriber(order: { readonly timeoutMs: number }): Promise<void>;
  close(): Promise<void>;
  memory(): Promise<Memory>;
  peers(): number;
  block(order: { readonly forMs: number }): void;
}

/** What `children/client.ts` does. */
export interface ClientCalls {
  readonly [name: string]: (argument: never) => unknown;
  /** Resolves when all three sockets are ready and the topic is subscribed to. */
  connect(choice: TransportChoice & { readonly addresses: Addresses }): Promise<void>;
  requests(order: RequestOrder): Promise<RequestReport>;
  /** How many requests were answered, of all that {@link requests} ever made. */
  answeredCount(): number;
  /** Has the PUSH connect to one more PULL, and resolves when that one is ready too. */
  connectPush(order: { readonly address: string }): Promise<void>;
  push(order: PushOrder): Promise<PushReport>;
  received(order: { readonly expected: number; readonly withinMs: number }): Promise<SubReport>;
  /** How long until a request is answered that is made now. Milliseconds. */
  recovery(order: { readonly withinMs: number }): Promise<number>;
  disconnects(): number;
  /** Why links were lost, since the last call. */
  lossReasons(): string[];
  close(): Promise<void>;
  memory(): Promise<Memory>;
  /** Makes and closes so many connections, in waves. */
  cycle(order: CycleOrder): Promise<void>;
  beside(order: BesideOrder): Promise<BesideReport>;
}

/** Small requests, one after another, beside large ones or not. */
export interface BesideOrder extends TransportChoice {
  readonly address: string;
  readonly count: number;
  readonly bytes: number;
  /** Of the large ones; 0 for none. */
  readonly bulkBytes: number;
  /** Who sends the large ones: the same socket, or another one of the same transport instance. */
  readonly bulkFrom: "same socket" | "other socket";
}

/** What became of {@link BesideOrder}. */
export interface BesideReport {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bulkMegabytesPerSecond: number;
}

/** How connections come and go. */
export interface CycleOrder extends TransportChoice {
  readonly address: string;
  readonly connections: number;
  readonly atOnce: number;
}
