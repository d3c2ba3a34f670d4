import { sql } from "kysely";

import type { KeptAgentToken } from "../../platform/auth/agent-token.ts";
import type { Queryable } from "../../platform/db/database.ts";
import { type EndedAgent, endingAgents, isOfExternalAgents } from "./queries.ts";

/** A process that outlives its agent, with the agent's token and the lead of the clock of its machine. */
export interface OrphanProcess {
  readonly token: Pick<KeptAgentToken, "hash" | "sealed">;
  readonly clockAheadMs: number | null;
  /** False if it restarts by itself once it connects; otherwise it is owed a reinit. */
  readonly isOwedReinit: boolean;
}

/**
 * Ends the agents of a build, with their sub-agents, for another build whose agents take over their processes. Resolves
 * to the processes of the root agents by name.
 */
export async function endAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, OrphanProcess>> {
  return orphanProcesses(await endAll(db, buildId));
}

/** Ends the agents of a build whose processes end at its stop; those that people started wait for the next start. */
export async function endAttachedAgents(db: Queryable, buildId: string): Promise<void> {
  await endingAgents(db, sql`${buildId}`)
    .where(({ exists, not, selectFrom }) =>
      not(
        exists(
          selectFrom("workspace_resources as resource")
            .whereRef("resource.id", "=", "workspace_agents.resource_id")
            .where(isOfExternalAgents("resource"))
            .select("resource.id"),
        ),
      ),
    )
    .execute();
}

/**
 * Ends the agents of a stopped build; resolves to those of its processes that wait for the next start, by name.
 * Machines that prove their identity are left out: they get a new token.
 */
export async function endRestingAgents(
  db: Queryable,
  buildId: string,
): Promise<ReadonlyMap<string, OrphanProcess>> {
  const ended = await endAll(db, buildId);
  const left = orphanProcesses(ended.filter(({ auth }) => auth === "token"));
  return new Map([...left].map(([name, one]) => [name, { ...one, isOwedReinit: false }]));
}

function endAll(db: Queryable, buildId: string): Promise<readonly EndedAgent[]> {
  return endingAgents(db, sql`${buildId}`).execute();
}

/** Returns the processes of the ended root agents, by name. */
export function orphanProcesses(ended: readonly EndedAgent[]): ReadonlyMap<string, OrphanProcess> {
  const roots = ended.filter(({ parent_id: parentId }) => parentId === null);
  return new Map(
    roots.map((row) => [
      row.name,
      {
        token: { hash: row.auth_token_hash, sealed: row.auth_token_encrypted },
        clockAheadMs: row.clock_ahead_ms,
        isOwedReinit: true,
      },
    ]),
  );
}
