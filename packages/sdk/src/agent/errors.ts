/** The rungs of the connect ladder, from the lowest. `identity` exists only for an agent that has to get its token. */
export const rungs = [
  "dns",
  "tcp",
  "tls",
  "http",
  "identity",
  "upgrade",
  "authentication",
  "version",
  "rpc",
] as const;
export type Rung = (typeof rungs)[number];

/** A failure of an agent or client to connect; names the rung of the ladder that failed. */
export class DialError extends Error {
  override readonly name = "DialError";
  readonly code = "dial-failed";
  readonly rung: Rung;
  /** HTTP status, when there was an answer. */
  readonly status: number | undefined;
  /** The fields of the request that are invalid according to the answer. */
  readonly fields: readonly string[];

  constructor(rung: Rung, message: string, options: DialErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.rung = rung;
    this.status = options.status;
    this.fields = options.fields ?? [];
  }

  /**
   * True if an agent was refused because its workspace is stopped, and may be started again
   * (docs/protocol/rest.md §1.4).
   */
  get isOfStopped(): boolean {
    return this.rung === "authentication" && this.fields.includes("workspace");
  }
}

interface DialErrorOptions {
  readonly status?: number;
  readonly fields?: readonly string[];
  readonly cause?: unknown;
}

/** The lack of a token for the instance that the agent runs on; the message says what to do. */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly code = "no-identity";
}

/** A reinit stream that is missing or unreadable; the caller asks again. */
export class ReinitError extends Error {
  override readonly name = "ReinitError";
  readonly code = "no-reinit-stream";
}
