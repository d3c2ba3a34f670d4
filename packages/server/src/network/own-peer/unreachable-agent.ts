import { Unreachable } from "../../platform/errors/errors.ts";

/**
 * The rung of the ladder to an agent that failed:
 * - `coordinator`: the coordinator does not notify the server's own peer of the agent.
 * - `relay`: the server's own peer has no relay.
 * - `agent`: the agent has not joined the network.
 * - `handshake`: the agent is known but does not answer.
 * - `port`: the agent answers, but not on this port.
 * - `peer`: the server's own peer has failed and is being replaced.
 */
export type AgentRung = "coordinator" | "relay" | "agent" | "handshake" | "port" | "peer";

/** An agent that the server cannot reach (docs/protocol/rest.md §6.4); names the rung that failed. */
export class UnreachableAgent extends Unreachable {
  readonly rung: AgentRung;

  constructor(rung: AgentRung, reason: string, options: { readonly cause?: unknown } = {}) {
    super("Internal error dialing workspace agent.", {
      ...options,
      detail: `agent is unreachable: ${reason}`,
      facts: { code: "unreachable", retryable: true, admitted: "no" },
    });
    this.rung = rung;
  }
}
