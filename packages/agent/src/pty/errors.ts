/**
 * The fault of a client:
 * - `malformed`: its messages cannot be read.
 * - `too-large`: one of them is longer than the limit.
 */
export type TerminalErrorCode = "malformed" | "too-large";

export class TerminalError extends Error {
  override readonly name = "TerminalError";
  readonly code: TerminalErrorCode;

  constructor(
    code: TerminalErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.code = code;
  }
}
