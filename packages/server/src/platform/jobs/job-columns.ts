import { type RawBuilder, type Selectable, sql } from "kysely";

import type { DB } from "../db/gen/schema.ts";
import { apiTimestamp } from "../db/timestamp.ts";

const plainColumns = [
  "id",
  "type",
  "organization_id",
  "initiator_id",
  "file_id",
  "template_version_id",
  "worker_id",
  "error",
  "error_code",
] as const;
const timeColumns = ["created_at", "started_at", "canceled_at", "completed_at"] as const;

type JobColumn = (typeof plainColumns | typeof timeColumns)[number];

/** The columns for the JSON of a job, from its table as `job`. */
export const jobColumns = [...plainColumns, ...timeColumns].map((name) => `job.${name}` as const);

const pairs = sql.join([
  ...plainColumns.map((name) => sql`${sql.lit(name)}, ${sql.ref(`job.${name}`)}`),
  ...timeColumns.map((name) => sql`${sql.lit(name)}, ${apiTimestamp(`job.${name}`)}`),
]);

/** Returns the same columns of one job as a JSON object, for a statement that reads the job's subject. */
export function jobObject(
  jobId: RawBuilder<string>,
): RawBuilder<Pick<Selectable<DB["jobs"]>, JobColumn>> {
  return sql`(select json_build_object(${pairs}) from jobs job where job.id = ${jobId})`;
}
