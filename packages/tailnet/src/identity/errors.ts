/**
 * The reason that a text or its bytes name nobody:
 * - `malformed-key`: no public key in the form that its place asks for.
 */
export type IdentityErrorCode = "malformed-key";

/** A name of a peer that cannot be read. The same input fails again. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code: IdentityErrorCode;
  readonly retryable = false;

  constructor(code: IdentityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
