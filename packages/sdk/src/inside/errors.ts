/** The agent of this workspace cannot be called over its socket. */
export class AgentSocketError extends Error {
  override readonly name = "AgentSocketError";
  /** Nothing listens there, the file belongs to somebody else, or the agent ended the connection. */
  readonly code: "no-agent" | "not-ours" | "closed";

  constructor(code: AgentSocketError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The agent refused a call; the message says why. */
export class RefusedCallError extends Error {
  override readonly name = "RefusedCallError";
  readonly code = "refused";
}
