import { CodedError } from "@slipway/runtime";

/**
 * The fault of an app:
 * - `no-answer`: nothing came in time.
 * - `ended`: it ended the connection before it answered.
 * - `malformed`: what it answered is not HTTP.
 * - `large-header`: the header of its answer is longer than the limit.
 * - `no-tls`: it does not speak TLS.
 */
export type AppErrorCode = "no-answer" | "ended" | "malformed" | "large-header" | "no-tls";

/** A request to an app that failed, although its agent was reached. */
export class AppError extends CodedError<AppErrorCode> {
  override readonly name = "AppError";

  /** The app may answer another request. */
  get retryable(): boolean {
    return this.code === "no-answer" || this.code === "ended";
  }
}
