import type { Clock } from "@slipway/runtime";

import { isLive } from "../../features/agents/live-queries.ts";
import type { Queryable } from "../../platform/db/database.ts";

/** The time for which an answer of the database counts. */
const recentMs = 1_000;
/** The agents whose answers are kept. */
const maxAgents = 4_096;

interface LiveAgentsNeeds {
  readonly db: Queryable;
  readonly clock: Pick<Clock, "monotonic">;
}

/** The agents that are live, looked up at most once a second each. */
export class LiveAgents {
  readonly #needs: LiveAgentsNeeds;
  /** Oldest first. */
  readonly #answers = new Map<
    string,
    { readonly atMs: number; readonly isLive: Promise<boolean> }
  >();

  constructor(needs: LiveAgentsNeeds) {
    this.#needs = needs;
  }

  /** Returns whether an agent is live. While the database does not answer, each of them counts as live. */
  isLive(agentId: string): Promise<boolean> {
    const { db, clock } = this.#needs;
    const atMs = clock.monotonic();
    const recent = this.#answers.get(agentId);
    if (recent !== undefined && atMs - recent.atMs < recentMs) return recent.isLive;
    const answer = { atMs, isLive: isLive(db, agentId).catch(() => true) };
    this.#answers.delete(agentId);
    this.#answers.set(agentId, answer);
    for (const [oldest] of this.#answers) {
      if (this.#answers.size <= maxAgents) break;
      this.#answers.delete(oldest);
    }
    return answer.isLive;
  }
}
