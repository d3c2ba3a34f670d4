import { externalAgentType } from "@slipway/template";
import { type RawBuilder, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { apiTimestamp } from "../../platform/db/timestamp.ts";

/** Selects agents. Their times are formatted here, because agents also come as JSON. */
function agents(db: Queryable) {
  return (
    db
      .selectFrom("workspace_agents as agent")
      .leftJoin(
        "workspace_agent_log_positions as position",
        "position.workspace_agent_id",
        "agent.id",
      )
      // The node that it publishes on the network, from the replica that has the newest.
      .leftJoinLateral(
        (agent) =>
          agent
            .selectFrom("tailnet_peers")
            .whereRef("tailnet_peers.id", "=", "agent.id")
            .where("is_lost", "=", sql.lit(false))
            .orderBy("revision", "desc")
            .limit(1)
            .select("latency")
            .as("peer"),
        (join) => join.onTrue(),
      )
      .where("agent.deleted", "=", sql.lit(false))
      .select([
        "agent.id",
        "agent.parent_id",
        "agent.resource_id",
        "agent.name",
        "agent.architecture",
        "agent.operating_system",
        "agent.environment_variables",
        "agent.auth_instance_id",
        "agent.directory",
        "agent.expanded_directory",
        "agent.troubleshooting_url",
        "agent.connection_timeout_seconds",
        "agent.display_apps",
        "agent.version",
        "agent.api_version",
        "agent.subsystems",
        "agent.lifecycle_state",
        "agent.end_detail",
        "position.logs_length",
        "position.overflowed",
        "peer.latency",
        apiTimestamp<string | null>("agent.started_at").as("started_at"),
        apiTimestamp<string | null>("agent.ready_at").as("ready_at"),
        apiTimestamp<string | null>("agent.first_connected_at").as("first_connected_at"),
        apiTimestamp<string | null>("agent.last_connected_at").as("last_connected_at"),
        apiTimestamp<string | null>("agent.disconnected_at").as("disconnected_at"),
        apiTimestamp("agent.created_at").as("created_at"),
        apiTimestamp("agent.updated_at").as("updated_at"),
      ])
  );
}

/** Selects an agent without its parts. */
export function selectAgent(db: Queryable, id: string) {
  return agents(db).where("agent.id", "=", id).executeTakeFirst();
}

/** The maximum number of statuses of an app in a response about its agent: all that are stored. */
const maxAppStatuses = 100;
/** The same in a response about workspaces or builds, which has many apps and is sent again after each change. */
const maxEmbeddedAppStatuses = 10;

/** Selects agents with all their parts, as JSON: one statement, however many there are. */
function agentsWithParts(db: Queryable, maxStatuses: number) {
  return agents(db).select((agent) => [
    jsonArrayFrom(
      agent
        .selectFrom("workspace_apps as app")
        .whereRef("app.workspace_agent_id", "=", "agent.id")
        .orderBy("app.position")
        .orderBy("app.display_name")
        .orderBy("app.slug")
        .selectAll("app")
        .select((app) =>
          jsonArrayFrom(
            app
              .selectFrom("workspace_app_statuses as status")
              .whereRef("status.workspace_app_id", "=", "app.id")
              .orderBy("status.created_at", "desc")
              .limit(maxStatuses)
              .select(["status.id", "status.state", "status.message", "status.uri"])
              .select(apiTimestamp("status.created_at").as("created_at")),
          ).as("statuses"),
        ),
    ).as("apps"),
    jsonArrayFrom(
      agent
        .selectFrom("workspace_agent_scripts as script")
        .leftJoinLateral(
          (script) =>
            script
              .selectFrom("workspace_agent_script_timings")
              .whereRef("script_id", "=", "script.id")
              .orderBy("started_at", "desc")
              .limit(1)
              .select(["exit_code", "status"])
              .as("timing"),
          (join) => join.onTrue(),
        )
        .whereRef("script.workspace_agent_id", "=", "agent.id")
        .orderBy("script.position")
        .selectAll("script")
        // The result of the newest run.
        .select(["timing.exit_code", "timing.status"]),
    ).as("scripts"),
    jsonArrayFrom(
      agent
        .selectFrom("workspace_agent_log_sources as source")
        .whereRef("source.workspace_agent_id", "=", "agent.id")
        .orderBy("source.created_at")
        .orderBy("source.display_name")
        .select(["source.workspace_agent_id", "source.id", "source.display_name", "source.icon"])
        .select(apiTimestamp("source.created_at").as("created_at")),
    ).as("log_sources"),
  ]);
}

/** The columns of an agent's workspace that determine who may see the agent. */
const placeColumns = [
  "agent.name as agent_name",
  "build.id as build_id",
  "workspace.id as workspace_id",
  "workspace.name as workspace_name",
  "workspace.owner_id",
  "owner.username as owner_name",
] as const;

const placedAgents = prepareQuery((db, id: string) =>
  agentsWithParts(db, maxAppStatuses)
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "workspace.owner_id")
    .where("agent.id", "=", id)
    .where("workspace.deleted", "=", sql.lit(false))
    .select(placeColumns),
);

/** Selects an agent with all its parts and its place. */
export async function selectPlacedAgent(
  db: Queryable,
  id: string,
): Promise<PlacedAgent | undefined> {
  const [agent] = await placedAgents(db, id);
  return agent;
}

export type PlacedAgent = Awaited<ReturnType<typeof placedAgents>>[number];

/**
 * Returns the agents on a resource as JSON, for the statement that reads the resource: with all their parts, but only
 * the newest statuses of apps.
 */
export function agentsOn(db: Queryable, resourceId: RawBuilder<string>) {
  return jsonArrayFrom(
    agentsWithParts(db, maxEmbeddedAppStatuses)
      .where("agent.resource_id", "=", resourceId)
      .orderBy("agent.created_at")
      .orderBy("agent.name"),
  );
}

export type AgentWithParts = Awaited<
  ReturnType<ReturnType<typeof agentsWithParts>["execute"]>
>[number];
export type AppRow = AgentWithParts["apps"][number];
export type ScriptRow = AgentWithParts["scripts"][number];

/** Selects only the place of an agent. */
export function selectAgentPlace(db: Queryable, agentId: string) {
  return db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoin("users as owner", "owner.id", "workspace.owner_id")
    .where("agent.id", "=", agentId)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .select(placeColumns)
    .executeTakeFirst();
}

/** Returns the SQL condition for people to start the agents of a resource; `resource` is the table's alias. */
export function isOfExternalAgents(resource: string): RawBuilder<boolean> {
  return sql<boolean>`${sql.ref(`${resource}.type`)} = ${sql.lit(externalAgentType)}`;
}

/** Builds the statement that ends all agents of a build, or of those of an `any(…)`, and returns them. */
export function endingAgents(db: Queryable, buildId: RawBuilder<string>) {
  return db
    .updateTable("workspace_agents")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("workspace_build_id", "=", buildId)
    .where("deleted", "=", sql.lit(false))
    .returning([
      "workspace_build_id",
      "name",
      "parent_id",
      "auth",
      "auth_token_hash",
      "auth_token_encrypted",
      "clock_ahead_ms",
    ]);
}

export type EndedAgent = Awaited<ReturnType<ReturnType<typeof endingAgents>["execute"]>>[number];

/** Ends the agents of a stopped workspace; resolves to their number. */
export async function endStoppedAgents(db: Queryable, workspaceId: string): Promise<number> {
  const ended = await db
    .updateTable("workspace_agents")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("id", "in", ({ selectFrom }) =>
      selectFrom("stopped_agents").where("workspace_id", "=", workspaceId).select("id"),
    )
    .returning("id")
    .execute();
  return ended.length;
}
