import { CodedError } from "@slipway/runtime";

/** The reason that no command can be run, or not this one. */
export type ProcessErrorCode = "no-shell" | "bad-interpreter" | "no-directory" | "spawn-failed";

/** A command of the workspace cannot be started. */
export class ProcessError extends CodedError<ProcessErrorCode> {
  override readonly name = "ProcessError";
}
