/** The presented document does not prove an instance's identity; the message says why, for the instance's operator. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code = "unproven-identity";
}

/** The presented document is genuine, but its claims have wrong types. */
export class IdentityClaimError extends Error {
  override readonly name = "IdentityClaimError";
  readonly code = "malformed-identity";
}
