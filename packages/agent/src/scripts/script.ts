/** A script of the manifest (docs/protocol/agent.md §4.3). */
export interface Script {
  /** Text UUIDs. */
  readonly id: string;
  readonly logSourceId: string;
  /** The name for people; may be empty. */
  readonly displayName: string;
  /** Unexpanded; empty for the default. */
  readonly logPath: string;
  readonly text: string;
  /** Empty without a schedule. */
  readonly cron: string;
  readonly runOnStart: boolean;
  readonly runOnStop: boolean;
  /** Undefined without a time limit. */
  readonly timeoutMs: number | undefined;
}

/** The occasion on which a script runs. */
export type Stage = "start" | "stop" | "cron";
