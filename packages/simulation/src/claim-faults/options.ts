/** The options of a run of claims under faults. Times are in milliseconds. */
export interface ClaimFaultsOptions {
  /** The source of all random decisions here; the timing of processes is not. */
  readonly seed: number;
  /** The number that are made and acknowledged before the faults stop. */
  readonly claims: number;
  readonly claimsPerSecond: number;
  readonly users: number;
  readonly servers: number;
  /** Workspaces that the pool keeps waiting. */
  readonly instances: number;
  /** The number of agents beyond which workspaces that have all they should are deleted, the oldest claims first. */
  readonly maxAgents: number;
  /** The mean time from one fault to the next. */
  readonly faultEveryMs: number;
  /** The longest time for which a connection stalls; those to PostgreSQL at most a fifth of it. */
  readonly maxStallMs: number;
  /** The time limits: of all claims, and then of all that is owed. */
  readonly claimsWithinMs: number;
  readonly calmWithinMs: number;
  /** The time for which a run that came to rest is watched for changes. */
  readonly watchMs: number;
  /** True to keep logs and databases also of a run without violations. */
  readonly keep: boolean;
  /** Receives a line from time to time. */
  readonly onProgress: (line: string) => void;
}

/** The outcome of a run. */
export interface ClaimFaultsOutcome {
  /** The violations: none, if all went well. */
  readonly violations: readonly string[];
  /** The number of acknowledged claims of a workspace that waited. */
  readonly claims: number;
  /** The number of acknowledged claims when none waited: an ordinary first build. */
  readonly missed: number;
  /** The number of requests to claim without a good answer, and of those carried out among them. */
  readonly lostAnswers: number;
  readonly doneUnanswered: number;
  /** The number of agent starts. */
  readonly agentStarts: number;
  readonly faults: readonly FaultCount[];
  /** The time until the last claim, until all was as it should be, and in all. */
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
  /** The time from a fault to its repair, in all and at most. */
  readonly totalMs: number;
  readonly maxMs: number;
}
