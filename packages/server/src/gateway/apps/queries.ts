import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { type RawBuilder, sql } from "kysely";

import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { apiTimestamp } from "../../platform/db/timestamp.ts";
import { buildStatus, newestBuild } from "../../platform/jobs/build-sql.ts";

/** Selects the live workspace of a user by names, with the state of its newest build. Prebuilds belong to no user. */
export const selectNamedWorkspaces = prepareQuery((db, username: string, name: string) =>
  db
    .selectFrom("workspaces as w")
    .innerJoin("users as owner", "owner.id", "w.owner_id")
    .innerJoin("templates as template", "template.id", "w.template_id")
    .innerJoinLateral(
      ({ selectFrom }) =>
        selectFrom(newestBuild(sql.ref("w.id")).as("b"))
          .innerJoin("jobs as j", "j.id", "b.job_id")
          .select(["b.id", buildStatus("b", "j").as("status")])
          .as("build"),
      (join) => join.onTrue(),
    )
    .where(lower("owner.username"), "=", username)
    .where("owner.deleted", "=", sql.lit(false))
    .where(lower("w.name"), "=", name)
    .where("w.deleted", "=", sql.lit(false))
    .where("w.owner_id", "!=", prebuildsUserId)
    .select([
      "w.id",
      "w.owner_id",
      "w.organization_id",
      "owner.username as owner_name",
      "w.name",
      "build.id as build_id",
      "build.status",
      "template.cors_behavior",
      "template.max_port_share_level",
    ]),
);

export type NamedWorkspace = Awaited<ReturnType<typeof selectNamedWorkspaces>>[number];

/** Selects the agents of a build with the columns that determine their status. */
export const selectAgentsOfBuild = prepareQuery((db, buildId: string) =>
  db
    .selectFrom("workspace_agents as agent")
    .where("agent.workspace_build_id", "=", buildId)
    .where("agent.deleted", "=", sql.lit(false))
    .orderBy("agent.name")
    .select([
      "agent.id",
      "agent.name",
      "agent.lifecycle_state",
      "agent.connection_timeout_seconds",
      apiTimestamp("agent.created_at").as("created_at"),
      apiTimestamp<string | null>("agent.first_connected_at").as("first_connected_at"),
      apiTimestamp<string | null>("agent.last_connected_at").as("last_connected_at"),
      apiTimestamp<string | null>("agent.disconnected_at").as("disconnected_at"),
    ]),
);

export type AgentOfBuild = Awaited<ReturnType<typeof selectAgentsOfBuild>>[number];

/** Selects the apps of that slug of agents. */
export const selectApps = prepareQuery((db, agentIds: readonly string[], slug: string) =>
  db
    .selectFrom("workspace_apps as app")
    .where(sql<boolean>`app.workspace_agent_id = any(${agentIds}::uuid[])`)
    .where("app.slug", "=", slug)
    .select([
      "app.workspace_agent_id as agent_id",
      "app.slug",
      "app.display_name",
      "app.url",
      "app.command",
      "app.external",
      "app.subdomain",
      "app.sharing_level",
      "app.health",
    ]),
);

export type FoundApp = Awaited<ReturnType<typeof selectApps>>[number];

/** Selects the organization of a user if they are a member of it. */
export const selectMembership = prepareQuery((db, userId: string, organizationId: string) =>
  db
    .selectFrom("organization_members")
    .where("user_id", "=", userId)
    .where("organization_id", "=", organizationId)
    .select("organization_id"),
);

function lower(column: string): RawBuilder<string> {
  return sql<string>`lower(${sql.ref(column)})`;
}
