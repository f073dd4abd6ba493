/** What ends and comes back. */
export type Side = "rust" | "ts";

/** What became of everything that one flow sent. */
export interface Account {
  readonly sent: number;
  /** Arrived, rightly, once. */
  readonly arrived: number;
  /** Did not, for a reason that the flow knows of: counts by reason. */
  readonly lost: Readonly<Record<string, number>>;
  /** What must not be. */
  readonly faults: readonly string[];
}

/** Traffic of one pair over one transport, that goes on while either side is restarted. */
export interface Flow {
  readonly name: string;
  /** Makes both ends. */
  start(): Promise<void>;
  /** Sends for a moment; called again and again, also while a side is being restarted. */
  turn(): Promise<void>;
  restart(side: Side): Promise<void>;
  /** After the last turn: waits for what is under way, and gives the account. */
  finish(): Promise<Account>;
}

/**
 * That a QUIC peer was killed is noticed after its idle timeout, or three times what a probe may take
 * if that is more: when a busy machine made the first round trip one of seconds, tens of them.
 */
export const noticedWithinMs = 90_000;

/** Adds to a count that may not be there yet. */
export function addTo(counts: Record<string, number>, name: string, count: number): void {
  if (count > 0) counts[name] = (counts[name] ?? 0) + count;
}
