import { CodedError } from "@slipway/runtime";

/**
 * The fault of a client:
 * - `malformed`: its messages cannot be read.
 * - `too-large`: one of them is longer than the limit.
 */
export type TerminalErrorCode = "malformed" | "too-large";

export class TerminalError extends CodedError<TerminalErrorCode> {
  override readonly name = "TerminalError";
}
