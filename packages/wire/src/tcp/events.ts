import { CodedError } from "../bytes/coded-error.ts";

/** An event on a connection. Each connection ends with exactly one `closed`, after which there are no others. */
export type TcpEvent =
  /** The handshake is complete: data may be written. */
  | { readonly type: "connected" }
  /** More bytes can be read than before. */
  | { readonly type: "readable" }
  /** The peer's FIN: the readable data is the last. */
  | { readonly type: "finished" }
  /** After a write was cut short: at most half of the room is in use. */
  | { readonly type: "writable" }
  /** The connection is over: both ends have finished it, or it failed. It may still answer segments for a while. */
  | { readonly type: "closed"; readonly error: TcpError | undefined };

/**
 * The reason why a connection ended before both ends had finished it:
 * - `refused`: the peer answered the SYN with a RST.
 * - `reset`: the peer sent a RST later.
 * - `timed-out`: the peer did not answer a SYN, data or keep-alives in time.
 * - `unreachable`: an ICMPv6 message reported it during the handshake.
 * - `aborted`: this end has sent the RST.
 */
export type TcpErrorCode = "refused" | "reset" | "timed-out" | "unreachable" | "aborted";

export class TcpError extends CodedError<TcpErrorCode> {
  override readonly name = "TcpError";

  /** True if a new connection may succeed. */
  get retryable(): boolean {
    return this.code !== "aborted";
  }
}
