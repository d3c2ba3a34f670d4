/** The reason that no command can be run, or not this one. */
export type ProcessErrorCode = "no-shell" | "bad-interpreter" | "no-directory" | "spawn-failed";

/** A command of the workspace cannot be started. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  readonly code: ProcessErrorCode;

  constructor(code: ProcessErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
