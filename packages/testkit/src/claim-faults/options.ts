/** The options of a run of claims under faults. Times are in milliseconds. */
export interface ClaimFaultsOptions {
  /** Everything random that is decided here comes from it; when processes do what they do does not. */
  readonly seed: number;
  /** So many are made and acknowledged before the faults stop. */
  readonly claims: number;
  readonly claimsPerSecond: number;
  readonly users: number;
  readonly servers: number;
  /** Workspaces that the pool keeps waiting. */
  readonly instances: number;
  /** Beyond so many agents, workspaces that have all they should are deleted, the oldest claims first. */
  readonly maxAgents: number;
  /** Mean time from one fault to the next. */
  readonly faultEveryMs: number;
  /** Longest time for which a connection passes nothing; those to PostgreSQL at most a fifth of it. */
  readonly maxStallMs: number;
  /** The time limits: of all claims, and then of all that is owed. */
  readonly claimsWithinMs: number;
  readonly calmWithinMs: number;
  /** The time for which a run that came to rest is watched for changes. */
  readonly watchMs: number;
  /** True to keep logs and databases also of a run without violations. */
  readonly keep: boolean;
  /** Told a line from time to time. */
  readonly onProgress: (line: string) => void;
}

/** The outcome of a run. */
export interface ClaimFaultsOutcome {
  /** The violations: none, if all went well. */
  readonly violations: readonly string[];
  /** Acknowledged, of a workspace that waited. */
  readonly claims: number;
  /** Acknowledged, but none waited: an ordinary first build. */
  readonly missed: number;
  /** Requests to claim without a good answer, and how many of them had been carried out. */
  readonly lostAnswers: number;
  readonly doneUnanswered: number;
  /** Starts of agents. */
  readonly agentStarts: number;
  readonly faults: readonly FaultCount[];
  /** Until the last claim, until all was as it should be, and in all. */
  readonly claimsMs: number;
  readonly calmMs: number;
  readonly totalMs: number;
  /** The time from each claim to its owner's first start script. */
  readonly latencies: readonly Latency[];
  /** Logs and databases. */
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
