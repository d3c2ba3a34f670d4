/** How a run of claims under faults is to be. Times are in milliseconds. */
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
  /** What takes longer than this has failed: all claims, and then all that is owed. */
  readonly claimsWithinMs: number;
  readonly calmWithinMs: number;
  /** How long it is watched, once all is as it should be, whether it stays so. */
  readonly watchMs: number;
  /** Whether logs and databases are kept also of a run in which nothing was wrong. */
  readonly keep: boolean;
  /** Told a line from time to time. */
  readonly onProgress: (line: string) => void;
}

/** What came of a run. */
export interface ClaimFaultsOutcome {
  /** What must not be: none, if all went well. */
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
  /** From each claim to its owner's first start script. */
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
  /** From the blow to its mending, in all and at most. */
  readonly totalMs: number;
  readonly maxMs: number;
}
