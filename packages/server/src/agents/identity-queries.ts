import { prebuildsUserId } from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";
import type { IdentityAuth } from "../template-format/definition.ts";

export interface Machine {
  readonly auth: IdentityAuth;
  readonly instanceId: string;
  /** Of the agent that it runs; empty where it does not say. */
  readonly agentName: string;
}

/** Most agents of a machine that are looked at; those of the wanted name come first. */
const maxCandidates = 200;

/**
 * Root agents that are known by a machine: each of the newest build of its workspace that succeeded, as a later one replaces
 * them. Newest first.
 */
export async function selectMachineAgents(db: Queryable, { auth, instanceId, agentName }: Machine) {
  return db
    .selectFrom("workspace_agents as agent")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("jobs as job", "job.id", "build.job_id")
    .innerJoin("workspaces as workspace", "workspace.id", "build.workspace_id")
    .innerJoinLateral(
      (lateral) =>
        lateral
          .selectFrom("workspace_builds as one")
          .whereRef("one.workspace_id", "=", "workspace.id")
          .orderBy("one.build_number", "desc")
          .limit(1)
          .select(["one.id", "one.transition"])
          .as("newest"),
      (join) => join.onTrue(),
    )
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
            .where("later_job.completed_at", "is not", null)
            .where("later_job.error", "is", null)
            .where("later_job.canceled_at", "is", null)
            .select("later.id"),
        ),
      ),
    )
    .orderBy(({ eb }) => eb("agent.name", "=", agentName), "desc")
    .orderBy("agent.created_at", "desc")
    .orderBy("agent.id")
    .limit(maxCandidates)
    .select(["agent.name", "agent.auth_token_encrypted", "workspace.id as workspace_id"])
    .select(({ eb, exists, selectFrom }) => [
      eb("newest.id", "=", eb.ref("build.id")).as("is_current"),
      "newest.transition as newest_transition",
      eb("workspace.prebuild_preset_id", "is not", null).as("is_waiting"),
      exists(
        selectFrom("workspace_builds as first")
          .innerJoin("workspace_agents as made", "made.workspace_build_id", "first.id")
          .whereRef("first.workspace_id", "=", "workspace.id")
          .where("first.build_number", "=", 1)
          .where("first.initiator_id", "=", prebuildsUserId)
          .where("made.auth", "=", auth)
          .where("made.auth_instance_id", "=", instanceId)
          .select("made.id"),
      ).as("is_of_pool"),
    ])
    .execute();
}
