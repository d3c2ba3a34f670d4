/** A group of attackers who play their tricks one after another; several groups play concurrently. */
export type CastName = "agents" | "members" | "strangers" | "relay-clients";

export interface HostileOptions {
  /** The groups that play (default: all of them). */
  readonly casts?: readonly CastName[];
  /** The duration of the run. */
  readonly durationMs: number;
  /** The duration of one measurement; a verdict about memory needs eight of them. */
  readonly intervalMs: number;
  readonly onInterval: (interval: Interval) => void;
}

/** The measurements of one interval. */
export interface Interval {
  /** The time from the beginning of the run to the end of the interval. */
  readonly atMs: number;
  /** The latencies of the bystander's requests; NaN if it made none. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  readonly requests: number;
  /** The processor time of the longest turn of the server's event loop, in milliseconds. */
  readonly longestTurnMs: number;
  /** The resident memory of the server's process; NaN where the system does not report it. */
  readonly memoryBytes: number;
  /** The size of the data directory, with the database. */
  readonly diskBytes: number;
  readonly tricks: readonly TrickCount[];
}

/** The number of times a trick was played, and that the server accepted or refused its content. */
export interface TrickCount {
  readonly name: string;
  readonly played: number;
  readonly taken: number;
  readonly refused: number;
  /** The longest turn of the server's event loop during the trick, in milliseconds of processor time. */
  readonly longestTurnMs: number;
}

export interface HostileOutcome {
  readonly intervals: readonly Interval[];
  /** The server's faults: responses of 500 and above, and failed requests of the bystander. */
  readonly faults: readonly string[];
  /** The violations that the run shows; empty for a good run. */
  readonly violations: readonly string[];
  /** The latencies of all the bystander's requests. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}
