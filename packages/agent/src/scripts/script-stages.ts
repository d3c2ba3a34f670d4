import type { StageResult } from "./script-result.ts";

/** The scripts of one session, run stage by stage: first `start`, then perhaps the schedules, then `close`, then `stop`. */
export interface ScriptStages {
  /** Runs the start scripts; `close` cuts them short. */
  start(): Promise<StageResult>;
  /** Runs scripts by their schedules until `close`. Returns at once. */
  startSchedules(): void;
  /** Ends running scripts. */
  close(): Promise<void>;
  /** Runs the stop scripts. The signal kills them. */
  stop(signal: AbortSignal): Promise<StageResult>;
}
