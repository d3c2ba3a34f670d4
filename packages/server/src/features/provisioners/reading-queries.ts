import type { ParameterDefinition } from "@slipway/template";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { isOffline } from "../../platform/jobs/worker-sql.ts";
import type { ProvisionerQuestion } from "../templates/parameter-service.ts";

/** A question and the session that it is addressed to. */
export interface AskedReading {
  readonly id: string;
  readonly sessionId: string;
}

/**
 * Addresses a question to the provisioner with all of the tags that has the fewest open ones; undefined if none is online that
 * reads parameters. `excluded` are sessions that were asked before.
 */
export async function insertReading(
  db: Queryable,
  { organizationId, tags, versionId, ownerId, values }: ProvisionerQuestion,
  excluded: readonly string[],
): Promise<AskedReading | undefined> {
  const { rows } = await sql<AskedReading>`
    insert into parameter_readings (session_id, template_version_id, owner_id, given)
      select worker.session_id, ${versionId}, ${ownerId}, ${JSON.stringify(values)}::jsonb
        from workers worker join provisioner_keys key on key.id = worker.key_id
        where key.organization_id = ${organizationId} and ${JSON.stringify(tags)}::jsonb <@ worker.tags
          and worker.reads_parameters and not ${isOffline("worker")}
          and worker.session_id <> all(${[...excluded]}::uuid[])
        order by (
          select count(*) from parameter_readings open
            where open.session_id = worker.session_id and open.answered_at is null), random()
        limit 1
      returning id, session_id as "sessionId"`.execute(db);
  return rows[0];
}

/** The state of a question. */
export interface ReadingState {
  readonly parameters: readonly ParameterDefinition[] | null;
  readonly error: string | null;
  /** True while the provisioner is connected in the session that was asked. */
  readonly isThere: boolean;
}

/** Selects the state of a question; undefined if it was removed, with its version or its owner for instance. */
export async function selectReading(db: Queryable, id: string): Promise<ReadingState | undefined> {
  const { rows } = await sql<ReadingState>`
    select parameters, error, exists (
        select from workers worker where worker.session_id = reading.session_id
          and not ${isOffline("worker")}) as "isThere"
      from parameter_readings reading where id = ${id}`.execute(db);
  return rows[0];
}

export async function deleteReading(db: Queryable, id: string): Promise<void> {
  await db.deleteFrom("parameter_readings").where("id", "=", id).execute();
}

/** Selects the ids of the oldest open questions to a session. */
export async function selectOpenReadings(
  db: Queryable,
  sessionId: string,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from parameter_readings where session_id = ${sessionId} and answered_at is null
      order by created_at limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** An open question as the server of its session sees it. */
export interface OpenReading {
  readonly versionId: string;
  readonly ownerId: string;
  readonly values: Readonly<Record<string, string>>;
}

/** Selects an open question; undefined if it was removed. */
export async function selectOpenReading(
  db: Queryable,
  id: string,
): Promise<OpenReading | undefined> {
  const { rows } = await sql<OpenReading>`
    select template_version_id as "versionId", owner_id as "ownerId", given as values
      from parameter_readings where id = ${id} and answered_at is null`.execute(db);
  return rows[0];
}

export type ReadingAnswer =
  | { readonly parameters: readonly ParameterDefinition[] }
  | { readonly error: string };

/** Writes the answer to a question, unless it was removed or has an answer. */
export async function answerReading(
  db: Queryable,
  id: string,
  answer: ReadingAnswer,
): Promise<void> {
  const columns =
    "error" in answer ? { error: answer.error } : { parameters: JSON.stringify(answer.parameters) };
  await db
    .updateTable("parameter_readings")
    .set({ ...columns, answered_at: sql`now()` })
    .where("id", "=", id)
    .where("answered_at", "is", null)
    .execute();
}
