/** The six sockets, by their names here. */
export type SocketName = "rep" | "req" | "pub" | "sub" | "push" | "pull";

/** Where each socket of the victim listens. */
export type Addresses = Readonly<Record<SocketName, string>>;

/** What the victim tells of the time since it was asked before. */
export interface VictimReport {
  /** Events by socket, name and code, such as `REP refused MSG_AUTH_REJECTED`. */
  readonly counts: Readonly<Record<string, number>>;
  /** What was wrong with what good peers sent. */
  readonly faults: readonly string[];
  /** Heap and buffers: when it began, and the most since. */
  readonly beganBytes: number;
  readonly mostBytes: number;
  /** All that the process has, likewise. */
  readonly beganResidentBytes: number;
  readonly mostResidentBytes: number;
  /** Peers connected, good and bad. */
  readonly peers: number;
  /** How often something good came. */
  readonly progress: Readonly<Record<string, number>>;
}

/** What the well-behaved peers tell. */
export interface BystanderReport {
  readonly progress: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}
