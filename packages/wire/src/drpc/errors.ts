import { CodedError } from "../bytes/coded-error.ts";

/**
 * The fault of the transport, that is of one yamux stream, which is to be reset:
 * - `malformed-frame`, `malformed-metadata`: bytes that are no frame or no metadata.
 * - `packet-too-large`: more than 4 MiB, in either direction.
 * - `protocol-error`: a frame that must not come now.
 *
 * Or the misuse of a call of ours: `no-rpc` (nothing was invoked), `rpc-active` (the last one still runs),
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
