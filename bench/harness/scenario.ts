import type { EndProcess } from "./child-process.ts";
import type { Contender, Counter, Place, TransportName } from "../peers/contender.ts";

/** What one row of a table was measured with. */
export interface Settings {
  readonly scenario: string;
  readonly transport: TransportName;
  readonly sizeBytes: number;
  /** Requests under way, subscribers, or connections: what the scenario has several of. */
  readonly count: number;
  /** Both processes on one core, on one each, or where the host puts them. */
  readonly pin: Pin;
  readonly warmUpMs: number;
  readonly windowMs: number;
}

/** Where the processes of a round run. */
export type Pin = "none" | "one" | "two";

/** Which process of a round. */
export type EndName = "receiver" | "sender";

/** What an end is started with. */
export interface EndContext {
  readonly contender: Contender;
  readonly variant: string;
  readonly settings: Settings;
  /** Where to bind, or to connect to. */
  readonly place: Place;
}

/** An end that is ready. */
export interface End {
  /** Of the end that binds. */
  readonly address?: string;
  readonly counter: Counter;
  /** Begins with what needs both ends there. */
  start?(): Promise<void>;
  /** Measures by itself, from beginning to end. */
  run?(): Promise<Readonly<Record<string, number>>>;
  /** What else was measured since the last call, beside the counter. */
  figures?(): Readonly<Record<string, number>>;
}

/** Numbers of one round by the name of the measure. */
export type Measures = Readonly<Record<string, number>>;

/** What one end did in a window. */
export interface Rate {
  readonly perSecond: number;
  /** Of one second. */
  readonly cpuMicros: number;
}

/** Both processes of a round. */
export interface Ends {
  readonly receiver: EndProcess;
  readonly sender: EndProcess;
}

/** Something that is measured, in the parent and in the ends. */
export interface Scenario {
  /** In one line, for the usage text and the page. */
  readonly title: string;
  /** The measure that is shown first and compared; the first one when nothing is said. */
  readonly headline?: string;
  /** The count of {@link Settings} when nothing is said. */
  readonly count?: number;
  /** The size of a payload when nothing is said; 64. */
  readonly sizeBytes?: number;
  /** The styles of a contender that can do it; none when it cannot. */
  variantsOf(contender: Contender, settings: Settings): readonly string[];
  /** Which end binds, and is started first; the receiver when nothing is said. */
  readonly binds?: EndName;
  receiver(context: EndContext): Promise<End>;
  sender(context: EndContext): Promise<End>;
  /** Measures in a way of its own; without it both ends count in a window. */
  drive?(ends: Ends, settings: Settings): Promise<Measures>;
  /** More numbers of a window. */
  extra?(received: Rate, sent: Rate, settings: Settings): Measures;
}
