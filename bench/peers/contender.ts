/** What is measured beside what: one contender is one library, in a file of its own in this folder. */

/** What the bytes go over; `secure` is encrypted: TLS or QUIC, as the contender says. */
export type TransportName = "tcp" | "ipc" | "secure";

/** Where an end listens or connects to: `127.0.0.1:0`, or the path of a socket file. */
export interface Place {
  readonly transport: TransportName;
  readonly address: string;
}

/** What an end counts. The harness checks that the bytes are those of the messages. */
export class Counter {
  messages = 0;
  bytes = 0;

  /** Counts one message that arrived. */
  add(payload: { readonly length: number }): void {
    this.messages += 1;
    this.bytes += payload.length;
  }
}

/** Messages one way, as many as go. */
export interface OneWay {
  /** Styles of the API that are measured one beside the other; without them there is one. */
  readonly variants?: readonly string[];
  /** Styles that compress; their receiver needs nothing for it. */
  readonly compressors?: readonly string[];
  /** Binds, counts in the background, and gives the address that was bound. */
  receive(place: Place, counter: Counter, variant: string): Promise<string>;
  /** Connects one sender. */
  connect(place: Place, variant: string): Promise<SendAll>;
}

/** Sends without end in the background, in turns with the event loop. */
export type SendAll = (payload: Uint8Array, counter: Counter) => unknown;

/** Everything to everybody. */
export interface PubSub {
  readonly variants?: readonly string[];
  /** Binds, and gives the address and what publishes without end once `subscribers` are there. */
  publish(place: Place, subscribers: number, variant: string): Promise<Publisher>;
  /** Connects one subscriber and counts in the background. */
  subscribe(place: Place, counter: Counter): Promise<void>;
}

/** A bound end that waits for its subscribers. */
export interface Publisher {
  readonly address: string;
  /** Publishes without end in the background, in turns with the event loop. */
  start(payload: Uint8Array, counter: Counter): Promise<void>;
}

/** One question, one answer. */
export interface RequestReply {
  /**
   * Binds, answers each request with its payload, and gives the address that was bound.
   *
   * @param inFlight - how many requests will be under way at a time
   */
  serve(place: Place, counter: Counter, inFlight: number): Promise<string>;
  connect(place: Place, inFlight: number): Promise<Asker>;
}

/** One connection that asks. */
export interface Asker {
  request(payload: Uint8Array): Promise<unknown>;
  /** The length of what {@link request} gave. */
  bytesOf(answer: unknown): number;
  /**
   * Keeps so many requests under way without a promise for each, for what has no promises of its
   * own. `onAnswer` is told how many bytes came back, before the next request goes.
   */
  pingPong?(payload: Uint8Array, inFlight: number, onAnswer: (bytes: number) => void): void;
}

/** An end that is a program of its own; it speaks the lines of harness/child.ts. */
export interface Program {
  /** What it can do. */
  readonly scenarios: readonly string[];
  /** The command of one end. */
  command(end: ProgramEnd): readonly string[];
}

/** Which end of which scenario a program is to be. */
export interface ProgramEnd {
  readonly scenario: string;
  readonly end: "receiver" | "sender";
  readonly place: Place;
  readonly sizeBytes: number;
  /** Requests under way, or subscribers; 1 where a scenario has neither. */
  readonly count: number;
}

/** A third process that a contender needs. */
export interface Broker {
  readonly pid: number;
  readonly address: string;
  stop(): Promise<void>;
}

/** One library behind what the scenarios need. */
export interface Contender {
  readonly name: string;
  readonly transports: readonly TransportName[];
  /** How it is installed where it is not; undefined when it can be measured. */
  missing?(): string | undefined;
  /** Builds what has to be built, once a run. */
  prepare?(): void;
  startBroker?(): Promise<Broker>;
  readonly oneWay?: OneWay;
  readonly pubSub?: PubSub;
  readonly requestReply?: RequestReply;
  /**
   * The text of the smallest ES module that sends `hello` to {@link RequestReply.serve}: it writes a
   * line when the answer is there, and ends.
   */
  firstMessage?(place: Place): string;
  readonly program?: Program;
}
