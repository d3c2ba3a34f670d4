export interface HostileOptions {
  /** How long all of it goes on. */
  readonly durationMs: number;
  /** How long one measurement takes; a verdict about memory needs eight of them. */
  readonly intervalMs: number;
  readonly onInterval: (interval: Interval) => void;
}

/** What was measured in one interval. */
export interface Interval {
  /** From the beginning of the run to the end of the interval. */
  readonly atMs: number;
  /** Of the requests of the bystander; NaN when there was none. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  /** Resident memory of the server's process; NaN where the system does not tell. */
  readonly memoryBytes: number;
  /** Of the data directory, with the database. */
  readonly diskBytes: number;
  readonly tricks: readonly TrickCount[];
}

/** How often a trick was played, and how the server took what was in it. */
export interface TrickCount {
  readonly name: string;
  readonly played: number;
  readonly taken: number;
  readonly refused: number;
}

export interface HostileOutcome {
  readonly intervals: readonly Interval[];
  /** What the server did that it must not: answers of 500 and above, a request of the bystander that failed. */
  readonly faults: readonly string[];
  /** What the run shows that it must not; none for a good one. */
  readonly violations: readonly string[];
  /** Of all requests of the bystander. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}
