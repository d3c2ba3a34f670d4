import { CodedError } from "../bytes/coded-error.ts";

export type ProtobufErrorCode = "malformed-message" | "invalid-message";

/** Bytes that do not encode the expected message, or a value that cannot be encoded. The same fails again. */
export class ProtobufError extends CodedError<ProtobufErrorCode> {
  override readonly name = "ProtobufError";
  readonly retryable = false;
}
