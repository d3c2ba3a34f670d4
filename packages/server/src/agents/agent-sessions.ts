import { Turnstile } from "@slipway/runtime";

import { sessionLimits } from "../rpc/session-limits.ts";

/** Sessions that the agent itself may have at once on this replica: one, and what is left of those before it. */
export const maxAgentSessions = 4;
/** Sessions of other programs with the agent's token, such as log shippers, at once on this replica. */
export const maxCompanionSessions = 4;

/** `agent` counts as the agent; `companion` is another program with its token. */
export type SessionKind = "agent" | "companion";

interface OpenSessions {
  readonly turnstile: Turnstile;
  /** How to close each, in the order in which they came. */
  readonly closers: Readonly<Record<SessionKind, Set<(reason: string) => void>>>;
}

/** A session's place among those of its agent, until it is disposed of. */
export interface SessionPlace extends Disposable {
  /** Lets in the calls of all sessions of the agent. */
  readonly turnstile: Turnstile;
}

const limitOf: Readonly<Record<SessionKind, number>> = {
  agent: maxAgentSessions,
  companion: maxCompanionSessions,
};

/**
 * The sessions of each agent on this replica. The newest wins: one more than an agent may have closes the oldest of its kind,
 * which may be half open. Processes that share a token and so push each other out come back at the pace of their own
 * backoff, up to 10 s for stock agents, and of the rate limit.
 */
export class AgentSessions {
  readonly #agents = new Map<string, OpenSessions>();

  open(agentId: string, kind: SessionKind, close: (reason: string) => void): SessionPlace {
    const sessions = this.#agents.get(agentId) ?? newSessions();
    this.#agents.set(agentId, sessions);
    const { turnstile, closers } = sessions;
    const ofKind = closers[kind];
    ofKind.add(close);
    const limit = limitOf[kind];
    for (const closeOldest of ofKind) {
      if (ofKind.size <= limit) break;
      ofKind.delete(closeOldest);
      closeOldest(`replaced by a newer session: at most ${limit} of a kind are open`);
    }
    return {
      turnstile,
      [Symbol.dispose]: () => {
        ofKind.delete(close);
        if (closers.agent.size + closers.companion.size > 0) return;
        if (this.#agents.get(agentId) === sessions) this.#agents.delete(agentId);
      },
    };
  }
}

function newSessions(): OpenSessions {
  return {
    turnstile: new Turnstile((inside) => inside < sessionLimits.maxCallsAtOnceOfAgent),
    closers: { agent: new Set(), companion: new Set() },
  };
}
