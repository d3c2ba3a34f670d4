export type SignalName = "SIGINT" | "SIGTERM" | "SIGHUP";

/** An external request to end a command: first politely, then by force. */
export interface Interruption {
  /** Resolves at the first signal. */
  readonly interrupted: Promise<SignalName>;
  /** Aborts at the second. */
  readonly forced: AbortSignal;
}
