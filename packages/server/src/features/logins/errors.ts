import type { RefusalCode } from "@slipway/api/users/log-in-refusals";
import { CodedError } from "@slipway/runtime";

/** A failed login. The message is for the log and never contains a token, a code or a secret. */
export class LogInError extends CodedError<RefusalCode> {
  override readonly name = "LogInError";

  get retryable(): boolean {
    return this.code === "unavailable";
  }
}
