import type { DisplayApp } from "@slipway/api/agents/agent";
import { sql } from "kysely";

import type { KeptAgentToken } from "../../../platform/auth/agent-token.ts";
import type { Queryable } from "../../../platform/db/database.ts";
import { isLiveAgent } from "../live-queries.ts";
import type { CheckedApp } from "./sub-agent-apps.ts";

/** Locks a live agent and counts its live children; the count holds until the transaction ends. */
export async function lockParent(
  db: Queryable,
  agentId: string,
): Promise<{ readonly parent_id: string | null; readonly children: number } | undefined> {
  const parent = await db
    .selectFrom("workspace_agents")
    .where("id", "=", agentId)
    .where(isLiveAgent(agentId))
    .select("parent_id")
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (parent === undefined) return undefined;
  // After the lock, so that it includes children from earlier transactions.
  const { rows } = await sql<{ children: number }>`
    select count(*) as children from workspace_agents
      where parent_id = ${agentId} and not deleted`.execute(db);
  return { ...parent, children: rows[0]?.children ?? 0 };
}

interface NewSubAgent {
  readonly parentId: string;
  readonly name: string;
  readonly directory: string;
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly displayApps: readonly DisplayApp[];
  readonly token: KeptAgentToken;
}

/** Inserts a child of an agent, with its log position; resolves to undefined if the parent is not live. */
export async function insertSubAgent(
  db: Queryable,
  agent: NewSubAgent,
): Promise<string | undefined> {
  const { rows } = await sql<{ readonly id: string }>`
    with child as (
      insert into workspace_agents
          (parent_id, resource_id, workspace_build_id, connection_timeout_seconds, troubleshooting_url,
           name, directory, architecture, operating_system, display_apps,
           auth_token_hash, auth_token_encrypted)
        select id, resource_id, workspace_build_id, connection_timeout_seconds, troubleshooting_url,
            ${agent.name}::text, ${agent.directory}::text, ${agent.architecture}::text,
            ${agent.operatingSystem}::text, ${[...agent.displayApps]}::text[],
            ${agent.token.hash}::bytea, ${agent.token.sealed}::bytea
          from workspace_agents where id = ${agent.parentId} and ${isLiveAgent(agent.parentId)}
        returning id
    )
    insert into workspace_agent_log_positions (workspace_agent_id)
      select id from child returning workspace_agent_id as id`.execute(db);
  return rows[0]?.id;
}

export async function insertSubAgentApps(
  db: Queryable,
  agentId: string,
  apps: readonly CheckedApp[],
): Promise<void> {
  if (apps.length === 0) return;
  await db
    .insertInto("workspace_apps")
    .values(apps.map((app) => ({ ...app, workspace_agent_id: agentId })))
    .execute();
}

/** Selects the children of a live agent. */
export function selectSubAgents(db: Queryable, parentId: string) {
  return db
    .selectFrom("workspace_agents")
    .where("parent_id", "=", parentId)
    .where("deleted", "=", sql.lit(false))
    .where(isLiveAgent(parentId))
    .orderBy("created_at")
    .orderBy("name")
    .select(["id", "name", "auth_token_encrypted"])
    .execute();
}

interface ChildKey {
  readonly id: string;
  readonly parentId: string;
}

/** Updates a child of a live agent; resolves to undefined if none has that id. An empty directory changes nothing. */
export function updateSubAgent(
  db: Queryable,
  { id, parentId }: ChildKey,
  change: { readonly displayApps: readonly DisplayApp[]; readonly directory: string },
) {
  return db
    .updateTable("workspace_agents")
    .set({
      display_apps: [...change.displayApps],
      ...(change.directory === "" ? {} : { directory: change.directory }),
      updated_at: sql`now()`,
    })
    .where("id", "=", id)
    .where("parent_id", "=", parentId)
    .where("deleted", "=", sql.lit(false))
    .where(isLiveAgent(parentId))
    .returning(["id", "name", "auth_token_encrypted"])
    .executeTakeFirst();
}

/** Selects the apps of an agent, and who may open them. */
export function selectApps(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_apps")
    .where("workspace_agent_id", "=", agentId)
    .orderBy("slug")
    .select(["slug", "sharing_level"])
    .execute();
}

/** Ends a child of a live agent; resolves to undefined if none has that id. */
export function deleteSubAgent(db: Queryable, { id, parentId }: ChildKey) {
  return db
    .updateTable("workspace_agents")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("id", "=", id)
    .where("parent_id", "=", parentId)
    .where("deleted", "=", sql.lit(false))
    .where(isLiveAgent(parentId))
    .returning("name")
    .executeTakeFirst();
}
