export { SessionError, WorkspaceError } from "./client/errors.ts";
export type { WorkspaceErrorCode } from "./client/errors.ts";
export type { WorkspaceSource } from "./client/create-request.ts";
export { KeepAlive } from "./client/keep-alive.ts";
export type { KeepAliveOptions } from "./client/keep-alive.ts";
export type { Forwarding, ForwardOptions } from "./client/platform.ts";
export { Slipway } from "./client/slipway.ts";
export type { SlipwayOptions } from "./client/slipway.ts";
export type { WaitProgress } from "./client/wait-for-build.ts";
export { Workspace } from "./client/workspace.ts";
export type {
  BuildOptions,
  DisposeAction,
  TerminalOptions,
  WorkspaceRunOptions,
} from "./client/workspace.ts";
export { Workspaces } from "./client/workspaces.ts";
export type { CreateOptions, HandleOptions, ListOptions } from "./client/workspaces.ts";
export { FileChangedError } from "./files/errors.ts";
export { Files } from "./files/files.ts";
export { RunError } from "./runs/errors.ts";
export type { RunErrorCode } from "./runs/errors.ts";
export type { RunResult } from "./runs/output-collector.ts";
export { RunHandle } from "./runs/run-handle.ts";
export type { RunOutput } from "./runs/run-handle.ts";
export { Runs } from "./runs/runs.ts";
export type { AttachOptions, RunInput, RunOptions } from "./runs/runs.ts";
export { AnswerError, ApiError, ConnectError, isRetryable } from "./http/errors.ts";
export type { Admitted } from "./http/errors.ts";
