/**
 * The fault of an agent's answer:
 * - `no-answer`: none came, or not all of it, or not in time.
 * - `refused`: its status is not 200.
 * - `too-large`: it is longer than the limit.
 * - `malformed`: it does not have the form that was wanted.
 */
export type AgentHttpErrorCode = "no-answer" | "refused" | "too-large" | "malformed";

/** A request to the HTTP API of an agent that failed. */
export class AgentHttpError extends Error {
  override readonly name = "AgentHttpError";
  readonly code: AgentHttpErrorCode;

  constructor(
    code: AgentHttpErrorCode,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(message, options);
    this.code = code;
  }

  /** The agent may answer another request. */
  get retryable(): boolean {
    return this.code === "no-answer";
  }
}
