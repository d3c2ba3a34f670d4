import type { SharingLevel } from "@slipway/api/agents/app";
import type { PortProtocol, PortShare } from "@slipway/api/workspaces/port-share-routes";
import { type RawBuilder, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { prepareQuery } from "../../../platform/db/prepared-query.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { levelOrder } from "./levels.ts";

const levels = sql`array[${sql.join(levelOrder.map((level) => sql.lit(level)))}]`;

/** The level in effect: the lower one of the share's and the template's. */
const effectiveLevel = sql<SharingLevel>`(${levels})[least(
  array_position(${levels}, share.share_level), array_position(${levels}, template.max_port_share_level))]`;

/** Selects the shares that the owner of a workspace made; those of an earlier owner have no effect. */
function shares(db: Queryable) {
  return db
    .selectFrom("workspace_port_shares as share")
    .innerJoin("workspaces as workspace", (join) =>
      join
        .onRef("workspace.id", "=", "share.workspace_id")
        .onRef("workspace.owner_id", "=", "share.owner_id"),
    )
    .innerJoin("templates as template", "template.id", "workspace.template_id")
    .select([
      "share.workspace_id",
      "share.agent_name",
      "share.port",
      effectiveLevel.as("share_level"),
      "share.protocol",
    ]);
}

export function selectPortShares(db: Queryable, workspaceId: string): Promise<PortShare[]> {
  return shares(db)
    .where("share.workspace_id", "=", workspaceId)
    .orderBy("share.agent_name")
    .orderBy("share.port")
    .execute();
}

/** The key of a share. */
export interface SharedPort {
  readonly workspaceId: string;
  readonly agentName: string;
  readonly port: number;
}

const sharesOfPorts = prepareQuery((db, workspaceId: string, agentName: string, port: number) =>
  shares(db)
    .where("share.workspace_id", "=", workspaceId)
    .where("share.agent_name", "=", agentName)
    .where("share.port", "=", port),
);

/**
 * Selects the share of a port with the level in effect, which is `owner` if the template allows no other; undefined for
 * a port that only its owner may open. Hints come on the topics of the workspace and of its template.
 */
export async function selectPortShare(
  db: Queryable,
  { workspaceId, agentName, port }: SharedPort,
): Promise<PortShare | undefined> {
  const [share] = await sharesOfPorts(db, workspaceId, agentName, port);
  return share;
}

/** The facts that decide whether a port may be shared. */
export interface ShareContext {
  readonly maxLevel: SharingLevel;
  readonly shareCount: number;
  /** The names of the agents of the newest build. */
  readonly agentNames: readonly string[];
}

export async function selectShareContext(
  db: Queryable,
  workspaceId: string,
): Promise<ShareContext> {
  return db
    .selectFrom("workspaces as workspace")
    .innerJoin("templates as template", "template.id", "workspace.template_id")
    .where("workspace.id", "=", workspaceId)
    .select([
      "template.max_port_share_level as maxLevel",
      sql<number>`(select count(*) from workspace_port_shares share
        where share.workspace_id = workspace.id)`.as("shareCount"),
      agentNames.as("agentNames"),
    ])
    .executeTakeFirstOrThrow();
}

const agentNames: RawBuilder<string[]> = sql`array(
  select agent.name from workspace_agents agent
    where agent.workspace_build_id = (select id from ${newestBuild(sql`workspace.id`)} newest)
      and not agent.deleted
    order by agent.name)`;

interface NewPortShare extends SharedPort {
  readonly ownerId: string;
  readonly level: Exclude<SharingLevel, "owner">;
  readonly protocol: PortProtocol;
}

/** Inserts a share or replaces the one of the same port. */
export async function upsertPortShare(
  db: Queryable,
  { workspaceId, agentName, port, ownerId, level, protocol }: NewPortShare,
): Promise<void> {
  const values = { owner_id: ownerId, share_level: level, protocol };
  await db
    .insertInto("workspace_port_shares")
    .values({ workspace_id: workspaceId, agent_name: agentName, port, ...values })
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "agent_name", "port"]).doUpdateSet(values),
    )
    .execute();
}

export async function deletePortShare(
  db: Queryable,
  { workspaceId, agentName, port }: SharedPort,
): Promise<void> {
  await db
    .deleteFrom("workspace_port_shares")
    .where("workspace_id", "=", workspaceId)
    .where("agent_name", "=", agentName)
    .where("port", "=", port)
    .execute();
}
