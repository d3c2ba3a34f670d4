import { CodedError } from "../bytes/coded-error.ts";

/**
 * A fault of the transport, that is of one yamux stream, which must be reset:
 * - `malformed-frame`, `malformed-metadata`: bytes that are not a frame or not metadata.
 * - `packet-too-large`: more than 4 MiB, in either direction.
 * - `protocol-error`: a frame that is not allowed now.
 *
 * Or a misuse of our own call: `no-rpc` (nothing was invoked), `rpc-active` (the previous RPC is active),
 * `send-closed` (a message after closeSend).
 */
export type DrpcErrorCode =
  | "malformed-frame"
  | "malformed-metadata"
  | "packet-too-large"
  | "protocol-error"
  | "no-rpc"
  | "rpc-active"
  | "send-closed";

export class DrpcError extends CodedError<DrpcErrorCode> {
  override readonly name = "DrpcError";
  readonly retryable = false;
}
