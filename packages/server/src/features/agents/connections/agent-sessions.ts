import { Turnstile } from "@slipway/runtime";

/**
 * The maximum number of concurrent sessions of the agent itself on this replica: one, and leftovers of earlier ones.
 */
export const maxAgentSessions = 4;
/**
 * The maximum number of concurrent sessions of other programs with its token, such as log shippers, on this replica.
 */
export const maxCompanionSessions = 4;
/** The maximum number of concurrent calls of all sessions of one agent; each may hold a database connection. */
const maxCallsAtOnce = 8;

/** The agent itself, or a companion: another program with its token. */
export type SessionKind = "agent" | "companion";

interface OpenSession {
  readonly kind: SessionKind;
  readonly close: (reason: string) => void;
}

interface OpenSessions {
  readonly turnstile: Turnstile;
  /** The open sessions, oldest first. */
  readonly open: Set<OpenSession>;
}

/** A session's place among those of its agent, until it is disposed of. */
export interface SessionPlace extends Disposable {
  /** Admits the calls of all sessions of the agent. */
  readonly turnstile: Turnstile;
}

const limitOf: Readonly<Record<SessionKind, number>> = {
  agent: maxAgentSessions,
  companion: maxCompanionSessions,
};

/**
 * The sessions of each agent on this replica. The newest wins: one beyond the limit closes the oldest of its kind,
 * which may be half open. Processes that share a token, and so displace each other, reconnect at the pace of their
 * backoff, up to 10 s for stock agents, and of the rate limit.
 */
export class AgentSessions {
  readonly #agents = new Map<string, OpenSessions>();

  open(agentId: string, kind: SessionKind, close: (reason: string) => void): SessionPlace {
    const sessions = this.#agents.get(agentId) ?? newSessions();
    this.#agents.set(agentId, sessions);
    const { turnstile, open } = sessions;
    const session: OpenSession = { kind, close };
    open.add(session);
    const limit = limitOf[kind];
    const ofKind = [...open].filter((one) => one.kind === kind);
    for (const oldest of ofKind.slice(0, -limit)) {
      open.delete(oldest);
      oldest.close(`replaced by a newer session: at most ${limit} of a kind are open`);
    }
    return {
      turnstile,
      [Symbol.dispose]: () => {
        open.delete(session);
        if (open.size > 0) return;
        if (this.#agents.get(agentId) === sessions) this.#agents.delete(agentId);
      },
    };
  }
}

function newSessions(): OpenSessions {
  return { turnstile: new Turnstile(mayCall), open: new Set() };
}

function mayCall(inside: number): boolean {
  return inside < maxCallsAtOnce;
}
