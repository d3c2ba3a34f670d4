export type DriverErrorCode =
  /** The template asks for what the driver does not offer. */
  | "invalid-template"
  /** What the driver works with does not answer; waiting can help. */
  | "unavailable"
  /** The driver is there to end what runs, and starts nothing. */
  | "turned-off"
  /** An agent cannot be started. */
  | "not-startable"
  /** Something of the workspace is still there after a stop. */
  | "still-running"
  /** A path leads out of where the driver may write and remove. */
  | "unsafe-path";

/** Why a build failed. The message goes into the build's log, for the workspace's owner: it says no secret. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly code: DriverErrorCode;

  constructor(code: DriverErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
  }

  /** Whether the same build may succeed later. */
  get retryable(): boolean {
    return this.code === "unavailable";
  }
}
