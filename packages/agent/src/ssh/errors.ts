import { CodedError } from "@slipway/runtime";

/**
 * The fault of a session or connection:
 * - `library-changed`: ssh2 lacks what we use of it.
 * - `closed`: the client closed the channel.
 * - `overrun`: the client sends more than it was given room for.
 * - `refused`: the client sends a message that no client has a reason to send.
 * - `x11-failed`: the client's display cannot be offered to its commands.
 */
export type SshErrorCode = "library-changed" | "closed" | "overrun" | "refused" | "x11-failed";

export class SshError extends CodedError<SshErrorCode> {
  override readonly name = "SshError";
}
