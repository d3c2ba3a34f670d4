import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

/** One session of an agent; its id guards what it writes, as a newer session may have taken over. */
export interface AgentSession {
  readonly agentId: string;
  readonly connectionId: string;
  readonly replicaId: string;
}

export async function markConnected(db: Queryable, session: AgentSession): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({
      first_connected_at: sql`coalesce(first_connected_at, now())`,
      last_connected_at: sql`now()`,
      connection_id: session.connectionId,
      last_connected_replica_id: session.replicaId,
      updated_at: sql`now()`,
    })
    .where("id", "=", session.agentId)
    .execute();
}

/** Notes that the session lives; false when a newer one has taken over. */
export async function markAlive(db: Queryable, session: AgentSession): Promise<boolean> {
  const result = await db
    .updateTable("workspace_agents")
    .set({ last_connected_at: sql`now()`, updated_at: sql`now()` })
    .where("id", "=", session.agentId)
    .where("connection_id", "=", session.connectionId)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** The session ended; nothing changes when a newer one has taken over. */
export async function markDisconnected(db: Queryable, session: AgentSession): Promise<void> {
  await db
    .updateTable("workspace_agents")
    .set({ disconnected_at: sql`now()`, updated_at: sql`now()` })
    .where("id", "=", session.agentId)
    .where("connection_id", "=", session.connectionId)
    .execute();
}
