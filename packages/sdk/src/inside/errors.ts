import { CodedError } from "@slipway/runtime";

/** The agent of this workspace cannot be called over its socket. */
export class AgentSocketError extends CodedError<"no-agent" | "not-ours" | "closed"> {
  override readonly name = "AgentSocketError";
  /** Nothing listens there, the file belongs to somebody else, or the agent ended the connection. */
}

/** The agent refused a call; the message says why. */
export class RefusedCallError extends Error {
  override readonly name = "RefusedCallError";
  readonly code = "refused";
}
