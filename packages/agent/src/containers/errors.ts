import { CodedError } from "@slipway/runtime";

/**
 * - `no-engine`: neither `docker` nor `podman` is installed.
 * - `failed`: the program ended with an error.
 * - `timed-out`: the program did not end in time, as with a daemon that does not answer.
 * - `too-large`: the output of the program exceeds its limit.
 * - `malformed`: the output of the program does not have the expected form.
 * - `unknown`: there is no such container or dev container.
 * - `busy`: the dev container is being started, stopped or deleted.
 */
export type ContainerErrorCode =
  | "no-engine"
  | "failed"
  | "timed-out"
  | "too-large"
  | "malformed"
  | "unknown"
  | "busy";

/** Containers cannot be listed or changed. */
export class ContainerError extends CodedError<ContainerErrorCode> {
  override readonly name = "ContainerError";
}
