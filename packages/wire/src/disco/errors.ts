/** The reason that a message between peers about their paths is not used: it is cut short, or of another version. */
export type DiscoErrorCode = "malformed-message";

export class DiscoError extends Error {
  override readonly name = "DiscoError";
  readonly code: DiscoErrorCode;
  readonly retryable = false;

  constructor(code: DiscoErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
