/**
 * The rung of the ladder to an agent that failed, above those of a connection to the server:
 * - `coordinator`: the server does not tell this side of the agent.
 * - `relay`: this side has no relay.
 * - `agent`: the agent has not joined the network.
 * - `handshake`: the agent is known but does not answer.
 */
export type NetworkRung = "coordinator" | "relay" | "agent" | "handshake";

/** The agent could not be reached; names the rung of the ladder that failed. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code = "unreachable";
  /** The agent, the relay or the server may be back soon. */
  readonly retryable = true;
  readonly rung: NetworkRung;

  constructor(rung: NetworkRung, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.rung = rung;
  }
}
