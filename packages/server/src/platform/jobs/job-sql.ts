import type { JobStatus } from "@slipway/api/jobs/job";
import type { MatchedProvisioners } from "@slipway/api/jobs/provisioner";
import { type RawBuilder, type Selectable, sql } from "kysely";

import type { DB } from "../db/gen/schema.ts";
import { apiTimestamp } from "../db/timestamp.ts";
import { type QueuePlace, queuePlace } from "./queue-sql.ts";
import { matchedProvisioners } from "./worker-sql.ts";

/** Returns the status of a job in SQL, as `jobStatus` of `job-json.ts` derives it; `job` is the table's alias. */
export function jobStatus(job: string): RawBuilder<Exclude<JobStatus, "unknown">> {
  const { started, canceled, completed, error } = columnsOf(job);
  return sql`case
    when ${canceled} is not null then case when ${completed} is null then 'canceling' else 'canceled' end
    when ${completed} is not null then case when ${error} is null then 'succeeded' else 'failed' end
    when ${started} is null then 'pending' else 'running' end`;
}

/** Returns the condition that a job has the status `succeeded`, in a form that the planner can estimate. */
export function hasSucceeded(job: string): RawBuilder<boolean> {
  const { canceled, completed, error } = columnsOf(job);
  return sql<boolean>`(
    ${completed} is not null and ${error} is null and ${canceled} is null)`;
}

/** Returns the condition that a job has the status `failed`, also in a form that the planner can estimate. */
export function hasFailed(job: string): RawBuilder<boolean> {
  const { canceled, completed, error } = columnsOf(job);
  return sql<boolean>`(
    ${completed} is not null and ${error} is not null and ${canceled} is null)`;
}

function columnsOf(job: string) {
  const column = (name: string): RawBuilder<unknown> => sql.ref(`${job}.${name}`);
  return {
    started: column("started_at"),
    canceled: column("canceled_at"),
    completed: column("completed_at"),
    error: column("error"),
  };
}

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
  "tags",
] as const;
const timeColumns = ["created_at", "started_at", "canceled_at", "completed_at"] as const;

type JobColumn = (typeof plainColumns | typeof timeColumns)[number];

/** The columns for the JSON of a job, from its table as `job`. */
export const jobColumns = [...plainColumns, ...timeColumns].map((name) => `job.${name}` as const);

const pairs = sql.join([
  ...plainColumns.map((name) => sql`${sql.lit(name)}, ${sql.ref(`job.${name}`)}`),
  ...timeColumns.map((name) => sql`${sql.lit(name)}, ${apiTimestamp(`job.${name}`)}`),
  sql`'queue', ${queuePlace("job")}`,
  sql`'matched_provisioners', ${matchedProvisioners("job")}`,
]);

/** Returns one job as a JSON object in the same columns, for a statement that reads the job's subject. */
export function jobObject(jobId: RawBuilder<string>): RawBuilder<
  Pick<Selectable<DB["jobs"]>, JobColumn> & {
    readonly queue: QueuePlace | null;
    readonly matched_provisioners: MatchedProvisioners | null;
  }
> {
  return sql`(select json_build_object(${pairs}) from jobs job where job.id = ${jobId})`;
}
