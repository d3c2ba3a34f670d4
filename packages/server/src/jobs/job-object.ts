import { type RawBuilder, sql } from "kysely";

import { apiTimestamp } from "../db/timestamp.ts";
import type { JobRow } from "./queries.ts";

/** The job of that id as a JSON object, for a statement that reads what the job is of. */
export function jobObject(
  jobId: RawBuilder<string>,
): RawBuilder<Omit<JobRow, "workspace_build_id">> {
  return sql`(
    select json_build_object(
        'id', job.id,
        'type', job.type,
        'organization_id', job.organization_id,
        'initiator_id', job.initiator_id,
        'file_id', job.file_id,
        'template_version_id', job.template_version_id,
        'worker_id', job.worker_id,
        'error', job.error,
        'error_code', job.error_code,
        'created_at', ${apiTimestamp("job.created_at")},
        'started_at', ${apiTimestamp("job.started_at")},
        'canceled_at', ${apiTimestamp("job.canceled_at")},
        'completed_at', ${apiTimestamp("job.completed_at")})
      from jobs job where job.id = ${jobId})`;
}
