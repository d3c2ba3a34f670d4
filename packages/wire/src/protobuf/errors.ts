export type ProtobufErrorCode = "malformed-message" | "invalid-message";

/** Bytes that do not encode the expected message, or a value that cannot be encoded. The same fails again. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
  readonly code: ProtobufErrorCode;
  readonly retryable = false;

  constructor(code: ProtobufErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
