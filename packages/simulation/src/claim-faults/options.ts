/** The options of a run of claims under faults. Times are in milliseconds. */
export interface ClaimFaultsOptions {
  /** The seed of all random decisions here; the timing of processes is not seeded. */
  readonly seed: number;
  /** The number of claims to make and acknowledge before the faults stop. */
  readonly claims: number;
  readonly claimsPerSecond: number;
  readonly users: number;
  readonly servers: number;
  /** The number of workspaces that the pool keeps waiting. */
  readonly instances: number;
  /** The number of agents above which workspaces that lack nothing are deleted, the oldest claims first. */
  readonly maxAgents: number;
  /** The mean time between faults. */
  readonly faultEveryMs: number;
  /** The longest stall of a connection; a fifth of it for connections to PostgreSQL. */
  readonly maxStallMs: number;
  /** The time limits: for all claims, and then for everything still missing. */
  readonly claimsWithinMs: number;
  readonly calmWithinMs: number;
  /** The time for which a run at rest is watched for changes. */
  readonly watchMs: number;
  /** True to keep logs and databases even of a run without violations. */
  readonly keep: boolean;
  /** Receives a line periodically. */
  readonly onProgress: (line: string) => void;
}

/** The outcome of a run. */
export interface ClaimFaultsOutcome {
  /** The violations; empty if all went well. */
  readonly violations: readonly string[];
  /** The number of acknowledged claims of a waiting workspace. */
  readonly claims: number;
  /** The number of acknowledged claims while none waited, which were ordinary first builds. */
  readonly missed: number;
  /** The number of claim requests without a successful answer, and of those among them that succeeded. */
  readonly lostAnswers: number;
  readonly doneUnanswered: number;
  /** The number of agent starts. */
  readonly agentStarts: number;
  readonly faults: readonly FaultCount[];
  /** The times until the last claim, until nothing was missing, and in total. */
  readonly claimsMs: number;
  readonly calmMs: number;
  readonly totalMs: number;
  /** The time from each claim to its owner's first start script. */
  readonly latencies: readonly Latency[];
  /** The directory of logs and databases. */
  readonly directory: string;
}

export interface Latency {
  readonly workspaceId: string;
  readonly ms: number;
}

export interface FaultCount {
  readonly kind: string;
  readonly count: number;
  /** The time from a fault to its repair: total and maximum. */
  readonly totalMs: number;
  readonly maxMs: number;
}
