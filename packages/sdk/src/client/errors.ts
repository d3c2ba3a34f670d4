import type { Admitted } from "../http/errors.ts";

/** The causes of a `WorkspaceError`. */
export type WorkspaceErrorCode =
  /** No template, preset, agent or workspace has the given name. */
  | "not-found"
  /** The workspace was created with other terms than those asked for. */
  | "no-prebuild"
  | "build-failed"
  | "build-canceled"
  /** The agent did not connect in time, or shut down. */
  | "agent-unavailable"
  /** The workspace is not running. */
  | "not-running"
  /** The server has no host name for ports. */
  | "no-port-url";

/** A program without a server, or without a token for it. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly code = "no-session";
  readonly retryable = false;
  readonly admitted = "no";
}

interface WorkspaceErrorOptions {
  readonly retryable?: boolean;
  readonly admitted: Admitted;
  readonly cause?: unknown;
}

/** A failure of a workspace to become what a call asks for. */
export class WorkspaceError extends Error {
  override readonly name = "WorkspaceError";
  readonly code: WorkspaceErrorCode;
  /** True if the same call may succeed later. */
  readonly retryable: boolean;
  readonly admitted: Admitted;

  constructor(code: WorkspaceErrorCode, message: string, options: WorkspaceErrorOptions) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.admitted = options.admitted;
  }
}
