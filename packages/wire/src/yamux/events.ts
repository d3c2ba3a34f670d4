import { CodedError } from "../bytes/coded-error.ts";

/** An event on a session. Each stream ends with exactly one `closed`, unless the whole session dies. */
export type YamuxEvent =
  /** The peer opened a stream, which the session answers by itself. */
  | { readonly type: "opened"; readonly streamId: number }
  /** The peer accepted our stream. A stream that the peer ends immediately is never accepted. */
  | { readonly type: "accepted"; readonly streamId: number }
  /** A view of the received chunk: copy it to keep it. Return the credit by `consume`. */
  | { readonly type: "data"; readonly streamId: number; readonly bytes: Uint8Array }
  /** The peer's FIN: no more data from it. */
  | { readonly type: "finished"; readonly streamId: number }
  /** The stream was cut off, by the peer or because it did not end in time; `closed` follows. */
  | { readonly type: "reset"; readonly streamId: number }
  /** Both directions are over and the id is forgotten. */
  | { readonly type: "closed"; readonly streamId: number }
  /** After a write was refused for lack of room: at most half of the queue is now in use. */
  | { readonly type: "writable"; readonly streamId: number }
  /** The answer to `ping`, by its id. */
  | { readonly type: "pong"; readonly id: number }
  /** The peer accepts no more streams (code 0). */
  | { readonly type: "go-away"; readonly code: number };

/**
 * The reason why a session ended:
 * - `protocol-error`: the peer broke docs/protocol/rpc.md §2; a GoAway 1 is in the output.
 * - `peer-failed`: the peer sent GoAway with a code other than 0.
 * - `keep-alive-timeout`, `open-timeout`: the peer did not answer in time.
 * - `reply-flood`: the peer forces more answers than the owner can send.
 *
 * Or the reason why one call was refused, while the session continues: `queue-full`, `backlog-full`, `going-away`,
 * `ids-exhausted`, `unknown-stream`, `stream-finished`, `consumed-too-much`.
 */
export type YamuxErrorCode =
  | "protocol-error"
  | "peer-failed"
  | "keep-alive-timeout"
  | "open-timeout"
  | "reply-flood"
  | "queue-full"
  | "backlog-full"
  | "going-away"
  | "ids-exhausted"
  | "unknown-stream"
  | "stream-finished"
  | "consumed-too-much";

const retryableCodes: ReadonlySet<YamuxErrorCode> = new Set(["queue-full", "backlog-full"]);

export class YamuxError extends CodedError<YamuxErrorCode> {
  override readonly name = "YamuxError";

  /** True if the same call may succeed later on this session. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}
