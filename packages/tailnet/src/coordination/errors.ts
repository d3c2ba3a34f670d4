import { CodedError } from "@slipway/runtime";

/**
 * The reason why coordination ended or refused a call:
 * - `stream-ended`: the coordinator ended a stream.
 * - `coordinator-error`: the coordinator ended a stream and gave a reason.
 * - `session-ended`: the connection that carried the streams is gone.
 * - `busy`: a session is already being served.
 * - `too-many-peers`: no more destinations may be added.
 * - `closed`: the peer has left.
 */
export type CoordinationErrorCode =
  | "stream-ended"
  | "coordinator-error"
  | "session-ended"
  | "busy"
  | "too-many-peers"
  | "closed";

const finalCodes: ReadonlySet<CoordinationErrorCode> = new Set(["busy", "closed"]);

export class CoordinationError extends CodedError<CoordinationErrorCode> {
  override readonly name = "CoordinationError";

  /** True if another session may succeed. */
  get retryable(): boolean {
    return !finalCodes.has(this.code);
  }
}
