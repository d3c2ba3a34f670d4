export type { FileChange, FileEdit, FileEntry, FileMatch } from "@slipway/api/agents/file-routes";
export type { Run } from "@slipway/api/agents/run-routes";

export { SessionError, WorkspaceError } from "./client/errors.ts";
export type { WorkspaceErrorCode } from "./client/errors.ts";
export type { WorkspaceSource } from "./client/create-request.ts";
export type { KeepAlive, KeepAliveOptions } from "./client/keep-alive.ts";
export type { Forwarding, ForwardOptions } from "./client/platform.ts";
export { Slipway } from "./client/slipway.ts";
export type { SlipwayOptions } from "./client/slipway.ts";
export type { WaitProgress } from "./client/wait-for-build.ts";
export type {
  BuildOptions,
  DisposeAction,
  TerminalOptions,
  Workspace,
  WorkspaceRunOptions,
} from "./client/workspace.ts";
export type { CreateOptions, HandleOptions, ListOptions, Workspaces } from "./client/workspaces.ts";
export { FileChangedError } from "./files/errors.ts";
export type {
  FileContent,
  FileSource,
  FoundMatches,
  ReadOptions,
  SearchOptions,
  WriteOptions,
} from "./files/file-options.ts";
export type { Files } from "./files/files.ts";
export { RunError } from "./runs/errors.ts";
export type { RunErrorCode } from "./runs/errors.ts";
export type { RunResult } from "./runs/output-collector.ts";
export type { FollowOptions, RunHandle, RunOutput } from "./runs/run-handle.ts";
export type { AttachOptions, RunInput, RunOptions, Runs } from "./runs/runs.ts";
export type { TerminalChange, TerminalClient, TerminalSize } from "./terminal/terminal-client.ts";
export { AnswerError, ApiError, ConnectError, isRetryable } from "./http/errors.ts";
export type { Admitted } from "./http/errors.ts";
