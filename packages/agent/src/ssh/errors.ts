import { CodedError } from "@slipway/runtime";

/**
 * The fault of a session or connection:
 * - `library-changed`: ssh2 lacks something that the agent uses.
 * - `closed`: the client closed the channel.
 * - `overrun`: the client exceeds its window.
 * - `refused`: the client sends an invalid message.
 * - `x11-failed`: its commands cannot use the client's display.
 */
export type SshErrorCode = "library-changed" | "closed" | "overrun" | "refused" | "x11-failed";

export class SshError extends CodedError<SshErrorCode> {
  override readonly name = "SshError";
}
