/**
 * The reason that a session is dead:
 * - `protocol-error`: the peer broke docs/protocol/rpc.md §2; a GoAway 1 is in the output.
 * - `peer-failed`: the peer said GoAway with a code other than 0.
 * - `keep-alive-timeout`, `open-timeout`: the peer did not answer in time.
 * - `reply-flood`: the peer makes us answer more than the owner takes.
 *
 * Or the reason that one call was refused, the session living on: `queue-full`, `backlog-full`, `going-away`,
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

export class YamuxError extends Error {
  override readonly name = "YamuxError";
  readonly code: YamuxErrorCode;

  constructor(code: YamuxErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** The same call may succeed later on this session. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}
