import type { Clock } from "@slipway/runtime";
import { sql } from "kysely";

import { agentStatus } from "../../features/agents/agent-status.ts";
import type { ConnectionNotices } from "../../features/notifications/inbox-service.ts";
import { mayActFor } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { apiTimestamp } from "../../platform/db/timestamp.ts";
import { Invalid, NotFound } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { UserCaller } from "../../platform/http/caller.ts";

export interface RunAccessNeeds {
  readonly db: Database;
  readonly clock: Pick<Clock, "now">;
  readonly notices: Pick<ConnectionNotices, "tell">;
}

/** The place of the agent of a run. */
export interface RunPlace {
  readonly agentId: string;
  readonly agentName: string;
  readonly workspaceName: string;
  readonly organizationId: string;
}

/**
 * Requires that a user may run commands through an agent, as over SSH, and that the agent is connected: one statement,
 * since programs run many short commands. Notifies the owner of the workspace if the user is someone else. Throws `NotFound`
 * and `Invalid`.
 */
export async function requireRunnable(
  { db, clock, notices }: RunAccessNeeds,
  user: UserCaller,
  agent: string,
): Promise<RunPlace> {
  const agentId = requireUuid(agent);
  const [row] = await placedTimes(db, agentId);
  if (row === undefined || !mayActFor(user, row.owner_id)) {
    throw new NotFound("Agent doesn't exist with that id, or you do not have access to it.");
  }
  const { status } = agentStatus(row, clock.now());
  if (status !== "connected") {
    throw new Invalid(`Agent state is "${status}", it must be in the "connected" state.`, {
      facts: { code: "not-connected", retryable: true, admitted: "no" },
    });
  }
  notices.tell({ actorId: user.id, ownerId: row.owner_id, agentId });
  return {
    agentId,
    agentName: row.agent_name,
    workspaceName: row.workspace_name,
    organizationId: row.organization_id,
  };
}

const placedTimes = prepareQuery((db: Queryable, id: string) =>
  db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .where("agent.id", "=", id)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .select([
      "agent.name as agent_name",
      "agent.connection_timeout_seconds",
      "workspace.name as workspace_name",
      "workspace.owner_id",
      "workspace.organization_id",
      apiTimestamp("agent.created_at").as("created_at"),
      apiTimestamp<string | null>("agent.first_connected_at").as("first_connected_at"),
      apiTimestamp<string | null>("agent.last_connected_at").as("last_connected_at"),
      apiTimestamp<string | null>("agent.disconnected_at").as("disconnected_at"),
    ]),
);
