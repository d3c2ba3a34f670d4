import { prebuildsUserId } from "@slipway/api";
import type { IdentityAuth } from "@slipway/template";
import { type QueryCreator, sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { DB } from "../../../platform/db/gen/schema.ts";
import { newestBuild } from "../../../platform/jobs/build-sql.ts";
import { hasSucceeded } from "../../../platform/jobs/job-sql.ts";

export interface Machine {
  readonly auth: IdentityAuth;
  readonly instanceId: string;
  /** The name of the agent that the machine runs; empty if it gives none. */
  readonly agentName: string;
}

/** The most workspaces read for a machine. Two live ones suffice to refuse it; the log lists the rest. */
const maxWorkspaces = 5;

/**
 * Selects the agents identified by a machine, of its first workspaces: those with an agent of the wanted name before
 * others, live ones before those that are ending, owned ones before those in a pool. So no number of workspaces whose
 * builds failed or were canceled hides a live one from `chooseAgent`.
 */
export async function selectMachineAgents(db: Queryable, machine: Machine) {
  const { auth, instanceId, agentName } = machine;
  return db
    .with("known", (cte) => machineAgents(cte, machine))
    .with("ranked", (cte) =>
      cte
        .selectFrom("known")
        .selectAll()
        .select(
          sql<number>`dense_rank() over (
            order by name = ${agentName} desc, is_ending, is_waiting, workspace_id)`.as("place"),
        ),
    )
    .selectFrom("ranked")
    .where("place", "<=", maxWorkspaces)
    .orderBy("place")
    .orderBy("name")
    .select(["id", "name", "auth_token_encrypted", "workspace_id", "is_current", "is_ending"])
    .select(({ exists, selectFrom }) => [
      "is_waiting",
      exists(
        selectFrom("workspace_builds as first")
          .innerJoin("workspace_agents as made", "made.workspace_build_id", "first.id")
          .whereRef("first.workspace_id", "=", "ranked.workspace_id")
          .where("first.build_number", "=", 1)
          .where("first.initiator_id", "=", prebuildsUserId)
          .where("made.auth", "=", auth)
          .where("made.auth_instance_id", "=", instanceId)
          .select("made.id"),
      ).as("is_of_pool"),
    ])
    .execute();
}

/** Selects every root agent identified by a machine that belongs to the newest successful build of its workspace. */
function machineAgents(db: QueryCreator<DB>, { auth, instanceId }: Machine) {
  return db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("jobs as job", "job.id", "build.job_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoinLateral(newestBuild(sql.ref("workspace.id")).as("newest"), (join) => join.onTrue())
    .where("agent.auth_instance_id", "=", instanceId)
    .where("agent.auth", "=", auth)
    .where("agent.parent_id", "is", null)
    .where("agent.deleted", "=", sql.lit(false))
    .where("workspace.deleted", "=", sql.lit(false))
    .where("job.completed_at", "is not", null)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("workspace_builds as later")
            .innerJoin("jobs as later_job", "later_job.id", "later.job_id")
            .whereRef("later.workspace_id", "=", "build.workspace_id")
            .whereRef("later.build_number", ">", "build.build_number")
            .where(hasSucceeded("later_job"))
            .select("later.id"),
        ),
      ),
    )
    .select(({ eb }) => [
      "agent.id",
      "agent.name",
      "agent.auth_token_encrypted",
      "workspace.id as workspace_id",
      sql<boolean>`newest.id = build.id`.as("is_current"),
      sql<boolean>`newest.id <> build.id and newest.transition <> 'start'`.as("is_ending"),
      eb("workspace.prebuild_preset_id", "is not", null).$castTo<boolean>().as("is_waiting"),
    ]);
}
