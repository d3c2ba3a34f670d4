/** What a machine showed does not prove which one it is; the message says why, for whoever runs the machine. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code = "unproven-identity";
}

/** What a machine showed proves something, but not what it claims to: its claims are of wrong types. */
export class IdentityClaimError extends Error {
  override readonly name = "IdentityClaimError";
  readonly code = "malformed-identity";
}
