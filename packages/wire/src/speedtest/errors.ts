/**
 * The reason that a speed test cannot run:
 * - `malformed`: the other end's line cannot be read.
 * - `too-long`: it is longer than the limit.
 * - `refused`: the server says no; the message is its own.
 */
export type SpeedtestErrorCode = "malformed" | "too-long" | "refused";

export class SpeedtestError extends Error {
  override readonly name = "SpeedtestError";
  readonly code: SpeedtestErrorCode;
  readonly retryable = false;

  constructor(code: SpeedtestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
