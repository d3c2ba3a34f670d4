import { CodedError } from "@slipway/runtime";

/** The reason why a command cannot run. */
export type ProcessErrorCode = "no-shell" | "bad-interpreter" | "no-directory" | "spawn-failed";

/** A command of the workspace cannot start. */
export class ProcessError extends CodedError<ProcessErrorCode> {
  override readonly name = "ProcessError";
}
