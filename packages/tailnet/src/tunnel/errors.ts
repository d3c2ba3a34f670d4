/**
 * The reason for which the tunnel refused a call:
 * - `unusable-key`: a public key of low order, or none of 32 bytes.
 * - `malformed-address`: no IPv6 address of 16 bytes.
 */
export type TunnelErrorCode = "unusable-key" | "malformed-address";

export class TunnelError extends Error {
  override readonly name = "TunnelError";
  readonly code: TunnelErrorCode;
  readonly retryable = false;

  constructor(code: TunnelErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
