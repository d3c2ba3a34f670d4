import { CodedError } from "../bytes/coded-error.ts";

/**
 * A peer's fault, for which its connection must be closed:
 * - `frame-too-large`: a frame longer than the limit that the owner of the reader set.
 * - `malformed-frame`: a payload that is too short, or too long, for its type.
 * - `malformed-login`: the JSON of a login that cannot be read.
 */
export type DerpErrorCode = "frame-too-large" | "malformed-frame" | "malformed-login";

export class DerpError extends CodedError<DerpErrorCode> {
  override readonly name = "DerpError";
  readonly retryable = false;
}
