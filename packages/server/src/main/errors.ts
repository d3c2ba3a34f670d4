import { CodedError } from "@slipway/runtime";

/** A failure to start the server; the message says what to do. */
export class StartError extends CodedError<
  | "data-directory-in-use"
  | "data-directory-unusable"
  | "address-in-use"
  | "address-refused"
  | "no-database"
  | "secret-key-missing"
> {
  override readonly name = "StartError";
}
