/** The reason that a viewer cannot read an agent's frames: `malformed` ones are those of no agent. */
export type TerminalFrameErrorCode = "malformed";

export class TerminalFrameError extends Error {
  override readonly name = "TerminalFrameError";
  readonly code: TerminalFrameErrorCode = "malformed";
  readonly retryable = false;
}
