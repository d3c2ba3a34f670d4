export type BytesErrorCode =
  | "malformed-hex"
  | "malformed-uuid"
  | "malformed-utf8"
  | "malformed-varint";

/** Bytes or text that a codec of `bytes/` cannot read. The same input fails again. */
export class BytesError extends Error {
  override readonly name = "BytesError";
  readonly code: BytesErrorCode;
  readonly retryable = false;

  constructor(code: BytesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
