import type {
  BuildStatus,
  ProvisionerJob,
  Transition,
  WorkspaceBuild,
  WorkspaceResource,
} from "@slipway/api";
import { capabilitiesOf } from "@slipway/drivers";

import type { BuildRow } from "./queries.ts";

/** Returns the build as clients see it. */
export function buildJson(
  row: BuildRow,
  job: ProvisionerJob,
  resources: readonly WorkspaceResource[],
): WorkspaceBuild {
  const { transition } = row;
  return {
    id: row.id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    workspace_id: row.workspace_id,
    workspace_name: row.workspace_name,
    workspace_owner_id: row.owner_id,
    workspace_owner_name: row.owner_name,
    template_version_id: row.template_version_id,
    template_version_name: row.template_version_name,
    build_number: row.build_number,
    transition,
    initiator_id: row.initiator_id,
    initiator_name: row.initiator_name,
    job,
    reason: row.reason,
    resources: [...resources],
    deadline: row.deadline,
    max_deadline: row.max_deadline,
    status: buildStatus(job.status, transition),
    daily_cost: 0,
    // The server that answers has taken its job, or could have.
    matched_provisioners: { count: 1, available: 1, most_recently_seen: row.created_at },
    template_version_preset_id: row.template_version_preset_id,
    has_ai_task: false,
    has_external_agent: capabilitiesOf(row.driver).hasExternalAgents,
  };
}

const runningStatus = { start: "starting", stop: "stopping", delete: "deleting" } as const;
const endStatus = { start: "running", stop: "stopped", delete: "deleted" } as const;

/** Derives the status of a build from its job and its transition (docs/protocol/clients.md §2.3). */
export function buildStatus(job: ProvisionerJob["status"], transition: Transition): BuildStatus {
  switch (job) {
    case "running":
      return runningStatus[transition];
    case "succeeded":
      return endStatus[transition];
    case "unknown":
      return "failed";
    case "pending":
    case "canceling":
    case "canceled":
    case "failed":
      return job;
  }
}
