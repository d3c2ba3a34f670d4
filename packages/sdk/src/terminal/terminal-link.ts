import type { TerminalStart } from "@slipway/wire/services/terminal-preamble";

/** One connection of a terminal. Iterate to get the bytes that come; the iteration ends with the connection. */
export interface TerminalLink extends AsyncIterable<Uint8Array> {
  /** The reason for its end. */
  readonly end: string;
  /** Sends a message of the viewer, as JSON; does nothing after the end. */
  send(message: object): void;
  /** Closes it; the iteration ends immediately, whether the other end answers or not. */
  close(reason?: string): void;
}

/** Opens a connection of a terminal. Rejects with an error that is `retryable` or not, and with the signal's reason. */
export type OpenTerminalLink = (start: TerminalStart, signal: AbortSignal) => Promise<TerminalLink>;
