import { CodedError } from "@slipway/runtime";

/** The answers of the protocol (draft-ietf-secsh-filexfer-02, 7). */
export const SftpStatus = {
  ok: 0,
  endOfFile: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  unsupported: 8,
} as const;
export type SftpStatus = (typeof SftpStatus)[keyof typeof SftpStatus];

/**
 * - `refused`: a request fails, with the status for the client.
 * - `malformed`: the client violates the protocol, which ends the session.
 */
export type SftpErrorCode = "refused" | "malformed";

export class SftpError extends CodedError<SftpErrorCode> {
  override readonly name = "SftpError";
  readonly status: SftpStatus;

  constructor(status: SftpStatus, message: string, code: SftpErrorCode = "refused") {
    super(code, message);
    this.status = status;
  }
}
