import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { deletionOf } from "./dormant-deletion.ts";
import type { WorkspaceRow } from "./queries.ts";

/** Returns the workspace as clients see it. */
export function workspaceJson(row: WorkspaceRow, build: WorkspaceBuild): Workspace {
  const agents = build.resources.flatMap((resource) => resource.agents);
  const deletion = row.deleted ? undefined : deletionOf(row);
  // Sub-agents do not count.
  const failing = agents.filter((agent) => agent.parent_id === null && !agent.health.healthy);
  return {
    id: row.id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    owner_id: row.owner_id,
    owner_name: row.owner_name,
    owner_avatar_url: "",
    organization_id: row.organization_id,
    organization_name: row.organization_name,
    template_id: row.template_id,
    template_name: row.template_name,
    template_display_name: row.template_display_name,
    template_icon: row.template_icon,
    template_allow_user_cancel_workspace_jobs: row.template_allow_user_cancel_workspace_jobs,
    template_active_version_id: row.template_active_version_id,
    template_require_active_version: row.template_require_active_version,
    template_use_classic_parameter_flow: row.template_use_classic_parameter_flow,
    latest_build: build,
    latest_app_status: newestAppStatus(agents),
    outdated: build.template_version_id !== row.template_active_version_id,
    name: row.name,
    autostart_schedule: row.autostart_schedule,
    ttl_ms: row.ttl_ms,
    // Creating it counts as use.
    last_used_at: row.last_used_at ?? row.created_at,
    deleting_at: deletion === undefined ? null : timestampFromMs(deletion.at),
    dormant_at: row.dormant_at,
    health: { healthy: failing.length === 0, failing_agents: failing.map((agent) => agent.id) },
    automatic_updates: row.automatic_updates,
    allow_renames: true,
    favorite: row.favorite,
    next_start_at:
      row.dormant_at === null && row.template_allow_user_autostart ? row.next_start_at : null,
    is_prebuild: row.owner_id === prebuildsUserId,
    task_id: null,
  };
}

/** Returns the newest status of any app; null while there is none. */
function newestAppStatus(agents: readonly WorkspaceAgent[]): Workspace["latest_app_status"] {
  const statuses = agents.flatMap((agent) => agent.apps.flatMap((app) => app.statuses));
  return statuses.reduce<Workspace["latest_app_status"]>(
    (newest, status) =>
      newest === null || Date.parse(status.created_at) > Date.parse(newest.created_at)
        ? status
        : newest,
    null,
  );
}
