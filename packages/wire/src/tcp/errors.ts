/**
 * The reason for which a connection ended before both ends had finished it:
 * - `refused`: the peer answered the SYN with a RST.
 * - `reset`: the peer sent a RST later.
 * - `timed-out`: the peer did not answer in time, to a SYN, to data or to keep-alives.
 * - `unreachable`: an ICMPv6 message said so during the handshake.
 * - `aborted`: this end has sent the RST.
 */
export type TcpErrorCode = "refused" | "reset" | "timed-out" | "unreachable" | "aborted";

export class TcpError extends Error {
  override readonly name = "TcpError";
  readonly code: TcpErrorCode;

  constructor(code: TcpErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** A new connection may succeed. */
  get retryable(): boolean {
    return this.code !== "aborted";
  }
}
