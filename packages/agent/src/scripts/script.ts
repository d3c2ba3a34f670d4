/** A script of the manifest (docs/protocol/agent.md §4.3). */
export interface Script {
  /** Text UUIDs. */
  readonly id: string;
  readonly logSourceId: string;
  /** Unexpanded; empty for the default. */
  readonly logPath: string;
  readonly text: string;
  /** Empty where it has no schedule. */
  readonly cron: string;
  readonly runOnStart: boolean;
  readonly runOnStop: boolean;
  /** Undefined where it may take as long as it likes. */
  readonly timeoutMs: number | undefined;
}

/** The occasion on which a script runs. */
export type Stage = "start" | "stop" | "cron";
