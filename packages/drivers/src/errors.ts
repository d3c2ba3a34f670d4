import { CodedError } from "@slipway/runtime";

export type DriverErrorCode =
  /** The template asks for something the driver does not offer. */
  | "invalid-template"
  /** The infrastructure does not respond; retrying may help. */
  | "unavailable"
  /** The driver is disabled: it ends running agents and starts none. */
  | "disabled"
  /** An agent cannot be started. */
  | "not-startable"
  /** Processes of the workspace are still running after a stop. */
  | "still-running"
  /** Containers cannot reach the server. */
  | "unreachable"
  /** A path leads outside the directories that the driver may modify. */
  | "unsafe-path";

/** The failure of a build. The message goes into the build's log, for the workspace's owner, and contains no secret. */
export class DriverError extends CodedError<DriverErrorCode> {
  override readonly name = "DriverError";

  /** True if the same build may succeed later. */
  get retryable(): boolean {
    return this.code === "unavailable";
  }
}

/** The refusal of a request by a Docker Engine. Drivers translate it. */
export class EngineError extends CodedError<"refused"> {
  override readonly name = "EngineError";
  /** The HTTP status. */
  readonly status: number;

  constructor(status: number, message: string) {
    super("refused", message === "" ? `status ${status}` : message);
    this.status = status;
  }
}
