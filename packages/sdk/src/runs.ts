export { RunError, type RunErrorCode } from "./runs/errors.ts";
export type { TerminalSize } from "./runs/follow-run.ts";
export type { RunResult } from "./runs/output-collector.ts";
export { type FollowOptions, RunHandle, type RunOutput } from "./runs/run-handle.ts";
export type { RunTargetOptions } from "./runs/run-target.ts";
export { type AttachOptions, type RunInput, type RunOptions, Runs } from "./runs/runs.ts";
