import { sql } from "kysely";

import type { Rows } from "./name-rows.ts";
import type { SqlState } from "./sql-state.ts";

/** Reads the tables of PostgreSQL. */
export async function readSqlRows({ db }: Pick<SqlState, "db">): Promise<Rows> {
  const age = (column: string) =>
    sql<number | null>`round(extract(epoch from now() - ${sql.ref(column)}) * 1000)::float8`;
  const workspaces = await db
    .selectFrom("workspaces as w")
    // New rows with equal times are sorted by name.
    .orderBy("w.created_at")
    .orderBy("w.name")
    .select(["w.id", "w.owner_id as ownerId", "w.prebuild_preset_id as presetId"])
    .select(["w.deleted as isDeleted", age("w.created_at").as("ageMs")])
    .execute();
  const builds = await db
    .selectFrom("workspace_builds as b")
    .innerJoin("jobs as j", "j.id", "b.job_id")
    .orderBy("b.build_number")
    .select([
      "b.id",
      "b.workspace_id as workspaceId",
      "b.build_number as number",
      "b.transition",
      "b.template_version_id as versionId",
      "b.owner_id as ownerId",
      "b.initiator_id as initiatorId",
      "j.worker_id as workerId",
      age("b.created_at").as("ageMs"),
      age("j.canceled_at").as("canceledMs"),
      age("j.completed_at").as("completedMs"),
      sql<boolean>`j.error is not null`.as("hasFailed"),
      sql<boolean>`b.template_version_preset_id is not null`.as("hasPreset"),
    ])
    .execute();
  const agents = await db
    .selectFrom("workspace_agents as a")
    .innerJoin("workspace_builds as b", "b.id", "a.workspace_build_id")
    .orderBy("b.build_number")
    .orderBy(sql`a.parent_id is not null`)
    .select([
      "a.id",
      "a.workspace_build_id as buildId",
      "a.parent_id as parentId",
      "a.name",
      sql<string>`encode(a.auth_token_hash, 'hex')`.as("tokenId"),
      "a.deleted as isDeleted",
      "a.lifecycle_state as lifecycle",
      age("a.started_at").as("startedMs"),
      age("a.last_connected_at").as("lastConnectedMs"),
      age("a.disconnected_at").as("disconnectedMs"),
      "a.took_over as tookOver",
      age("a.reinit_sent_at").as("sentMs"),
      sql<boolean>`a.reinit_received_at is not null`.as("wasReceived"),
    ])
    .execute();
  return { workspaces, builds, agents };
}
