import type { Database } from "@slipway/server";
import type { AgentSession, UserCaller } from "@slipway/server/claims";
import type { ClaimStage, Work } from "@slipway/testkit";

import type { Names } from "./names.ts";
import type { TimeShift } from "./time-shift.ts";

/** The state of a world on PostgreSQL besides its rows. */
export interface SqlState {
  readonly db: Database;
  readonly stage: ClaimStage;
  readonly names: Names;
  readonly time: TimeShift;
  readonly callers: ReadonlyMap<string, UserCaller>;
  /** The jobs of workers and the sessions of agents, by the names that steps gave them. */
  readonly works: Map<string, Work>;
  readonly sessions: Map<string, SqlSession>;
}

/** A session and its age: the times it knows age with the rows. */
export interface SqlSession {
  readonly session: Omit<AgentSession, "authenticatedAt">;
  ageMs: number;
}
