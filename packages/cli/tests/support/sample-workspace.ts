import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { WorkspaceApp } from "@slipway/api/agents/app";
import type { WorkspaceBuild } from "@slipway/api/builds/build";
import type { Workspace } from "@slipway/api/workspaces/workspace";

const id = "11111111-1111-4111-8111-111111111111";
const time = "2026-01-01T00:00:00Z";

/** An agent as a server sends it. */
export const sampleAgent: WorkspaceAgent = {
  id,
  parent_id: null,
  created_at: time,
  updated_at: time,
  status: "connected",
  lifecycle_state: "ready",
  name: "main",
  resource_id: id,
  architecture: "amd64",
  environment_variables: {},
  operating_system: "linux",
  logs_length: 0,
  logs_overflowed: false,
  version: "v0.1.0",
  api_version: "2.10",
  apps: [],
  connection_timeout_seconds: 120,
  troubleshooting_url: "",
  subsystems: [],
  health: { healthy: true },
  display_apps: [],
  log_sources: [
    { workspace_agent_id: id, id, created_at: time, display_name: "Prepare", icon: "" },
  ],
  scripts: [],
  startup_script_behavior: "non-blocking",
};

/** An app of that agent. */
export const sampleApp: WorkspaceApp = {
  id,
  external: false,
  slug: "web",
  url: "http://localhost:8080",
  subdomain: false,
  sharing_level: "owner",
  healthcheck: { url: "", interval: 0, threshold: 0 },
  health: "disabled",
  hidden: false,
  open_in: "tab",
  statuses: [],
};

/** A finished build, without resources. */
export const sampleBuild: WorkspaceBuild = {
  id,
  created_at: time,
  updated_at: time,
  workspace_id: id,
  workspace_name: "demo",
  workspace_owner_id: id,
  workspace_owner_name: "ada",
  template_version_id: id,
  template_version_name: "v1",
  build_number: 3,
  transition: "start",
  initiator_id: id,
  initiator_name: "ada",
  job: {
    id,
    created_at: time,
    completed_at: time,
    status: "succeeded",
    file_id: id,
    tags: {},
    queue_position: 0,
    queue_size: 0,
    organization_id: id,
    initiator_id: id,
    input: {},
    type: "workspace_build",
    metadata: {
      template_version_name: "v1",
      template_id: id,
      template_name: "small",
      template_display_name: "",
      template_icon: "",
    },
    logs_overflowed: false,
  },
  reason: "cli",
  resources: [],
  deadline: null,
  max_deadline: null,
  status: "running",
  daily_cost: 0,
  template_version_preset_id: null,
};

/** A running workspace. */
export const sampleWorkspace: Workspace = {
  id,
  created_at: time,
  updated_at: time,
  owner_id: id,
  owner_name: "ada",
  owner_avatar_url: "",
  organization_id: id,
  organization_name: "default",
  template_id: id,
  template_name: "small",
  template_display_name: "",
  template_icon: "",
  template_allow_user_cancel_workspace_jobs: false,
  template_active_version_id: id,
  template_require_active_version: false,
  template_use_classic_parameter_flow: true,
  latest_build: sampleBuild,
  latest_app_status: null,
  outdated: false,
  name: "demo",
  autostart_schedule: null,
  ttl_ms: null,
  last_used_at: time,
  deleting_at: null,
  dormant_at: null,
  health: { healthy: true, failing_agents: [] },
  automatic_updates: "never",
  allow_renames: true,
  favorite: false,
  next_start_at: null,
  is_prebuild: false,
  task_id: null,
};
