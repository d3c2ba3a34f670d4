import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { WorkspaceApp } from "./app.ts";

export const agentStatuses = ["connecting", "connected", "disconnected", "timeout"] as const;
export const AgentStatus = oneOf(...agentStatuses);
export type AgentStatus = Infer<typeof AgentStatus>;

/** The states in the order in which an agent goes through them (docs/protocol/rpc.md §7.3). */
export const lifecycleStates = [
  "created",
  "starting",
  "start_timeout",
  "start_error",
  "ready",
  "shutting_down",
  "shutdown_timeout",
  "shutdown_error",
  "off",
] as const;
export const LifecycleState = oneOf(...lifecycleStates);
export type LifecycleState = Infer<typeof LifecycleState>;

export const AgentLogSource = Type.Object({
  workspace_agent_id: Uuid,
  id: Uuid,
  created_at: Timestamp,
  display_name: Type.String(),
  icon: Type.String(),
});

export const ScriptStatus = oneOf("ok", "exit_failure", "timed_out", "pipes_left_open");
export type ScriptStatus = Infer<typeof ScriptStatus>;
export const ScriptStage = oneOf("start", "stop", "cron");
export type ScriptStage = Infer<typeof ScriptStage>;

/** A script. `timeout` is in nanoseconds; `exit_code` and `status` are those of the latest run. */
export const AgentScript = Type.Object({
  id: Uuid,
  log_source_id: Uuid,
  log_path: Type.String(),
  script: Type.String(),
  cron: Type.String(),
  run_on_start: Type.Boolean(),
  run_on_stop: Type.Boolean(),
  start_blocks_login: Type.Boolean(),
  timeout: Type.Integer(),
  display_name: Type.String(),
  exit_code: Type.Optional(Type.Integer()),
  status: Type.Optional(ScriptStatus),
});
export type AgentScript = Infer<typeof AgentScript>;

export const DisplayApp = oneOf(
  "vscode",
  "vscode_insiders",
  "ssh_helper",
  "port_forwarding_helper",
  "web_terminal",
);
export type DisplayApp = Infer<typeof DisplayApp>;

export const Subsystem = oneOf("envbox", "envbuilder", "exectrace");
export type Subsystem = Infer<typeof Subsystem>;

/** The credentials that start an agent of the driver `external` on any machine. */
export const ExternalAgentCredentials = Type.Object({
  command: Type.String(),
  agent_token: Type.String(),
});
export type ExternalAgentCredentials = Infer<typeof ExternalAgentCredentials>;

/** An agent as clients see it (docs/protocol/rest.md §6.1, with the rules for status and health). */
export const WorkspaceAgent = Type.Object({
  id: Uuid,
  parent_id: nullable(Uuid),
  created_at: Timestamp,
  updated_at: Timestamp,
  first_connected_at: Type.Optional(Timestamp),
  last_connected_at: Type.Optional(Timestamp),
  disconnected_at: Type.Optional(Timestamp),
  started_at: Type.Optional(Timestamp),
  ready_at: Type.Optional(Timestamp),
  status: AgentStatus,
  lifecycle_state: LifecycleState,
  name: Type.String(),
  resource_id: Uuid,
  instance_id: Type.Optional(Type.String()),
  architecture: Type.String(),
  environment_variables: Type.Record(Type.String(), Type.String()),
  operating_system: Type.String(),
  logs_length: Type.Integer(),
  logs_overflowed: Type.Boolean(),
  /** Latencies by relay region. */
  latency: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object({ latency_ms: Type.Number(), preferred: Type.Boolean() }),
    ),
  ),
  directory: Type.Optional(Type.String()),
  expanded_directory: Type.Optional(Type.String()),
  version: Type.String(),
  api_version: Type.String(),
  apps: Type.Array(WorkspaceApp),
  connection_timeout_seconds: Type.Integer(),
  troubleshooting_url: Type.String(),
  subsystems: Type.Array(Subsystem),
  health: Type.Object({ healthy: Type.Boolean(), reason: Type.Optional(Type.String()) }),
  display_apps: Type.Array(DisplayApp),
  log_sources: Type.Array(AgentLogSource),
  scripts: Type.Array(AgentScript),
  startup_script_behavior: oneOf("blocking", "non-blocking"),
});
export type WorkspaceAgent = Infer<typeof WorkspaceAgent>;
