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
  /** A program that carries out the build failed. */
  | "run-failed"
  /** The driver's state of the workspace cannot be read any more. */
  | "state-lost"
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

/** The failure of a command of Terraform. */
export class CommandFailed extends DriverError {
  /** The addresses of the resources at fault, as far as the command tells them. */
  readonly addresses: readonly string[];

  constructor(message: string, addresses: readonly string[]) {
    super("run-failed", message);
    this.addresses = addresses;
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

/** The refusal of a request by the API server of a Kubernetes cluster. Drivers translate it. */
export class ClusterError extends CodedError<"refused"> {
  override readonly name = "ClusterError";
  /** The HTTP status. */
  readonly status: number;
  /** The API's own word for it, such as `AlreadyExists`; empty if something in between refused. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super("refused", message === "" ? `status ${status}` : message);
    this.status = status;
    this.reason = reason;
  }
}
