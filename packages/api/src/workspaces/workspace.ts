import { Type } from "typebox";

import { AppStatus } from "../agents/app.ts";
import { BuildParameter, WorkspaceBuild } from "../builds/build.ts";
import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

/** The effects of a running workspace's deadline. */
export const DeadlineAction = oneOf("stop", "delete");
export type DeadlineAction = Infer<typeof DeadlineAction>;

export const Workspace = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  owner_id: Uuid,
  owner_name: Type.String(),
  owner_avatar_url: Type.String(),
  organization_id: Uuid,
  organization_name: Type.String(),
  template_id: Uuid,
  template_name: Type.String(),
  template_display_name: Type.String(),
  template_icon: Type.String(),
  template_allow_user_cancel_workspace_jobs: Type.Boolean(),
  template_active_version_id: Uuid,
  template_require_active_version: Type.Boolean(),
  template_use_classic_parameter_flow: Type.Boolean(),
  latest_build: WorkspaceBuild,
  latest_app_status: nullable(AppStatus),
  outdated: Type.Boolean(),
  name: Type.String(),
  autostart_schedule: nullable(Type.String()),
  ttl_ms: nullable(Type.Integer()),
  /** Left out for one that is stopped at its deadline. */
  on_deadline: Type.Optional(oneOf("delete")),
  last_used_at: Timestamp,
  deleting_at: nullable(Timestamp),
  dormant_at: nullable(Timestamp),
  health: Type.Object({ healthy: Type.Boolean(), failing_agents: Type.Array(Uuid) }),
  automatic_updates: oneOf("always", "never"),
  allow_renames: Type.Boolean(),
  favorite: Type.Boolean(),
  next_start_at: nullable(Timestamp),
  is_prebuild: Type.Boolean(),
  task_id: Type.Null(),
});
export type Workspace = Infer<typeof Workspace>;

export const WorkspacesResponse = Type.Object({
  workspaces: Type.Array(Workspace),
  count: Type.Integer(),
});
export type WorkspacesResponse = Infer<typeof WorkspacesResponse>;

/**
 * The order of a list, after the caller's favorites: by name, the most recently used first, or by status with failed ones
 * first.
 */
export const WorkspaceOrder = oneOf("name", "last_used", "status");
export type WorkspaceOrder = Infer<typeof WorkspaceOrder>;

/** The property by which a list keeps workspaces together, by name; its order applies within each group. */
export const WorkspaceGrouping = oneOf("template", "organization");
export type WorkspaceGrouping = Infer<typeof WorkspaceGrouping>;

/** A workspace is created from a template or a version: one of the two ids. The nil UUID counts as absent. */
export const CreateWorkspaceRequest = Type.Object({
  template_id: Type.Optional(Uuid),
  template_version_id: Type.Optional(Uuid),
  name: Type.String({ minLength: 1, maxLength: 32 }),
  rich_parameter_values: Type.Optional(nullable(Type.Array(BuildParameter, { maxItems: 100 }))),
  template_version_preset_id: Type.Optional(Uuid),
  autostart_schedule: Type.Optional(nullable(Type.String({ maxLength: 256 }))),
  ttl_ms: Type.Optional(nullable(Type.Integer())),
  /**
   * `delete` deletes the workspace at its deadline instead of stopping it, and a stopped or failed one that long after it
   * stopped; it requires a time to live.
   */
  on_deadline: Type.Optional(DeadlineAction),
  /**
   * The first build (default: `start`). `stop` creates the workspace stopped, without a claim and without touching any
   * infrastructure; its first start builds it.
   */
  transition: Type.Optional(oneOf("start", "stop")),
  /** Refuses the request, with a validation of this field, if no prebuilt workspace is waiting. */
  require_prebuild: Type.Optional(Type.Boolean()),
  automatic_updates: Type.Optional(oneOf("always", "never", "")),
});
export type CreateWorkspaceRequest = Infer<typeof CreateWorkspaceRequest>;

/** A limit on a number: its current value, and the maximum; null without one. */
const Allowance = Type.Object({ used: Type.Integer(), limit: nullable(Type.Integer()) });

/** The limits that a new workspace of a user counts toward. */
export const WorkspaceAllowances = Type.Object({
  workspaces: Allowance,
  /** Workspaces that are not stopped. */
  running: Allowance,
});
export type WorkspaceAllowances = Infer<typeof WorkspaceAllowances>;

/** The number of prebuilds of a preset that a new workspace could claim. */
export const WaitingPrebuilds = Type.Object({ preset_id: Uuid, waiting: Type.Integer() });
export type WaitingPrebuilds = Infer<typeof WaitingPrebuilds>;
