import type { Transition } from "@slipway/api";

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
