/**
 * The reason that a datagram is not answered or used:
 * - `malformed-message`: no STUN message, or attributes that do not fit into it.
 * - `wrong-fingerprint`: bytes that changed on their way.
 */
export type StunErrorCode = "malformed-message" | "wrong-fingerprint";

export class StunError extends Error {
  override readonly name = "StunError";
  readonly code: StunErrorCode;
  readonly retryable = false;

  constructor(code: StunErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
