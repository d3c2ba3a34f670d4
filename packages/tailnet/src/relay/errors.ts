/** The steps to an open connection with a relay, in order; `session` is the time after the login. */
export type RelayRung = "dns" | "tcp" | "tls" | "http" | "upgrade" | "login" | "session";

interface RelayErrorOptions extends ErrorOptions {
  /** The HTTP status, if there was an answer. */
  readonly status?: number;
}

/** A connection to a relay that failed to open, or ended; names the step. */
export class RelayError extends Error {
  override readonly name = "RelayError";
  readonly code = "relay-failed";
  readonly retryable = true;
  readonly rung: RelayRung;
  readonly status: number | undefined;

  constructor(rung: RelayRung, message: string, options: RelayErrorOptions = {}) {
    super(message, options);
    this.rung = rung;
    this.status = options.status;
  }
}
