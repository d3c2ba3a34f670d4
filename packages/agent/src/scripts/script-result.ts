import type { RunOutcome } from "../process/run-command.ts";
import type { Stage } from "./script.ts";

export type ScriptStatus = "ok" | "exit-failure" | "timed-out" | "pipes-left-open";

/** One run of a script, as reported to the server. Times are in milliseconds since 1970. */
export interface ScriptTiming {
  readonly scriptId: string;
  readonly stage: Stage;
  readonly startMs: number;
  readonly endMs: number;
  readonly exitCode: number;
  readonly status: ScriptStatus;
}

/** The exit code reported when none is known. */
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

/** The result of a stage; the first script that failed decides (docs/protocol/agent.md §2.6). */
export type StageResult = "ok" | "timed-out" | "failed";

export function stageResult(firstFailure: ScriptStatus | undefined): StageResult {
  if (firstFailure === undefined || firstFailure === "ok") return "ok";
  return firstFailure === "timed-out" ? "timed-out" : "failed";
}
