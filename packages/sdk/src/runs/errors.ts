import type { Admitted } from "../http/errors.ts";

/** The causes of a `RunError`. */
export type RunErrorCode =
  /** The run belongs to another instance of the agent, which was restarted, or it is no longer kept. */
  | "gone"
  /** The connection broke so often that the caller should look again later. */
  | "connection-lost"
  /** The agent sent what no agent sends. */
  | "malformed"
  /** The run has no input, or it is closed. */
  | "input-closed"
  | "not-running";

/** A failure of a run, which is not a failure of its command. */
export class RunError extends Error {
  override readonly name = "RunError";
  readonly code: RunErrorCode;
  readonly retryable: boolean;
  /** Tells whether the workspace has carried the request out. */
  readonly admitted: Admitted;

  constructor(
    code: RunErrorCode,
    message: string,
    options: {
      readonly admitted: Admitted;
      readonly retryable?: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.admitted = options.admitted;
  }
}
