import type { RunOutcome } from "../process/run-command.ts";

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

export type ScriptStatus = "ok" | "exit-failure" | "timed-out" | "pipes-left-open";

/** A run of a script, as reported to the server. Times are in milliseconds since 1970. */
export interface ScriptTiming {
  readonly scriptId: string;
  readonly stage: Stage;
  readonly startMs: number;
  readonly endMs: number;
  readonly exitCode: number;
  readonly status: ScriptStatus;
}

/** The result of a stage, decided by the first script that failed (docs/protocol/agent.md §2.6). */
export type StageResult = "ok" | "timed-out" | "failed";

/** The scripts of a session, by stage: `start`, then perhaps the schedules, then `close`, then `stop`. */
export interface ScriptStages {
  /** Runs the start scripts; `close` cuts them short. */
  start(): Promise<StageResult>;
  /** Runs scripts by their schedules until `close`. Returns immediately. */
  startSchedules(): void;
  /** Ends running scripts. */
  close(): Promise<void>;
  /** Runs the stop scripts. The signal kills them. */
  stop(signal: AbortSignal): Promise<StageResult>;
}

/** The exit code to report if none is known. */
const unknownExitCode = 255;

/** Maps an outcome by the table of docs/protocol/agent.md §4.3. */
export function scriptResult(outcome: RunOutcome): Pick<ScriptTiming, "exitCode" | "status"> {
  switch (outcome.kind) {
    case "exited":
      return { exitCode: outcome.exitCode, status: outcome.exitCode === 0 ? "ok" : "exit-failure" };
    case "signalled":
    case "stopped":
      return { exitCode: -1, status: "exit-failure" };
    case "not-started":
      return { exitCode: unknownExitCode, status: "exit-failure" };
    case "timed-out":
      return { exitCode: unknownExitCode, status: "timed-out" };
    case "pipes-left-open":
      return { exitCode: unknownExitCode, status: "pipes-left-open" };
  }
}

export function stageResult(firstFailure: ScriptStatus | undefined): StageResult {
  if (firstFailure === undefined || firstFailure === "ok") return "ok";
  return firstFailure === "timed-out" ? "timed-out" : "failed";
}
