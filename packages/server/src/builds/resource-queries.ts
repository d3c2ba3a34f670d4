import type { Transition } from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../db/database.ts";

export interface InsertResource {
  readonly jobId: string;
  readonly transition: Transition;
  readonly type: string;
  readonly name: string;
  readonly icon: string;
}

export async function insertResource(db: Queryable, input: InsertResource): Promise<string> {
  const row = await db
    .insertInto("workspace_resources")
    .values({
      job_id: input.jobId,
      workspace_transition: input.transition,
      type: input.type,
      name: input.name,
      icon: input.icon,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export function selectResources(db: Queryable, jobIds: readonly string[]) {
  return db
    .selectFrom("workspace_resources")
    .where("job_id", "in", jobIds)
    .orderBy("name")
    .selectAll()
    .execute();
}

/** The resources that a build of a driver made, with the names of the root agents in each. */
export function selectDriverResources(db: Queryable, jobId: string) {
  return db
    .selectFrom("workspace_resources as r")
    .where("r.job_id", "=", jobId)
    .orderBy("r.name")
    .select([
      "r.type",
      "r.name",
      "r.icon",
      sql<readonly string[]>`array(
        select a.name from workspace_agents a
          where a.resource_id = r.id and a.parent_id is null and not a.deleted
          order by a.name)`.as("agent_names"),
    ])
    .execute();
}
