/**
 * The error of a document that does not prove an instance's identity; the message tells the instance's operator why.
 */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code = "unproven-identity";
}

/** The error of a genuine document whose claims have wrong types. */
export class IdentityClaimError extends Error {
  override readonly name = "IdentityClaimError";
  readonly code = "malformed-identity";
}
