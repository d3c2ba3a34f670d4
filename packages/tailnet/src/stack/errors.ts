import { CodedError } from "@slipway/runtime";

/**
 * The reason why the stack refused a call:
 * - `port-in-use`: a listener or socket has the port.
 * - `no-ports`: all ephemeral ports for that destination are in use.
 * - `no-address`: the stack has no such address.
 * - `too-many-connections`: the limit of the stack is reached.
 * - `datagram-too-large`: it does not fit a packet.
 * - `stream-finished`: a write after the end.
 * - `closed`: the stack, listener or socket is closed.
 */
export type StackErrorCode =
  | "port-in-use"
  | "no-ports"
  | "no-address"
  | "too-many-connections"
  | "datagram-too-large"
  | "stream-finished"
  | "closed";

const retryableCodes: ReadonlySet<StackErrorCode> = new Set(["no-ports", "too-many-connections"]);

export class StackError extends CodedError<StackErrorCode> {
  override readonly name = "StackError";

  /** True if the same call may succeed later. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}
