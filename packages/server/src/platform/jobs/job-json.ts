import { nilUuid } from "@slipway/api/contract/nil-uuid";
import type { JobStatus, ProvisionerJob } from "@slipway/api/jobs/job";

import type { JobRow } from "./queries.ts";

/** Returns the job as clients see it. */
export function jobJson(row: JobRow): ProvisionerJob {
  return {
    id: row.id,
    created_at: row.created_at,
    ...(row.started_at === null ? {} : { started_at: row.started_at }),
    ...(row.completed_at === null ? {} : { completed_at: row.completed_at }),
    ...(row.canceled_at === null ? {} : { canceled_at: row.canceled_at }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.error_code === null ? {} : { error_code: row.error_code }),
    status: jobStatus(row),
    ...(row.worker_id === null ? {} : { worker_id: row.worker_id }),
    file_id: row.file_id,
    tags: { owner: "", scope: "organization" },
    queue_position: 0,
    queue_size: 0,
    organization_id: row.organization_id,
    initiator_id: row.initiator_id,
    input: {
      ...(row.template_version_id === null ? {} : { template_version_id: row.template_version_id }),
      ...(row.workspace_build_id === null ? {} : { workspace_build_id: row.workspace_build_id }),
    },
    type: row.type,
    metadata: {
      template_version_name: "",
      template_id: nilUuid,
      template_name: "",
      template_display_name: "",
      template_icon: "",
    },
    logs_overflowed: false,
  };
}

type JobTimes = Pick<JobRow, "started_at" | "canceled_at" | "completed_at" | "error">;

export function jobStatus(row: JobTimes): JobStatus {
  if (row.canceled_at !== null) return row.completed_at === null ? "canceling" : "canceled";
  if (row.completed_at !== null) return row.error === null ? "succeeded" : "failed";
  return row.started_at === null ? "pending" : "running";
}
