import { CodedError } from "./coded-error.ts";

export type BytesErrorCode =
  | "malformed-hex"
  | "malformed-uuid"
  | "malformed-utf8"
  | "malformed-varint";

/** Bytes or text that a codec of `bytes/` cannot read. The same input fails again. */
export class BytesError extends CodedError<BytesErrorCode> {
  override readonly name = "BytesError";
  readonly retryable = false;
}
