import { Type } from "typebox";

import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";
import { ProvisionerJob } from "../jobs/job.ts";
import { MatchedProvisioners } from "../jobs/provisioner.ts";
import { Transition, WorkspaceResource } from "./resource.ts";

export const buildStatuses = [
  "pending",
  "starting",
  "running",
  "stopping",
  "stopped",
  "deleting",
  "deleted",
  "canceling",
  "canceled",
  "failed",
] as const;
export const BuildStatus = oneOf(...buildStatuses);
export type BuildStatus = Infer<typeof BuildStatus>;

export const buildReasons = [
  "initiator",
  "autostart",
  "autostop",
  "dormancy",
  "dashboard",
  "cli",
  "ssh_connection",
  "vscode_connection",
  "jetbrains_connection",
  "task_auto_pause",
  "task_manual_pause",
  "task_resume",
] as const;
export const BuildReason = oneOf(...buildReasons);
export type BuildReason = Infer<typeof BuildReason>;

/** The maximum size of a body with parameter values, some of which are whole files. */
export const maxParameterBodyBytes = 256 * 1024;

export const BuildParameter = Type.Object({
  name: Type.String({ maxLength: 128 }),
  value: Type.String({ maxLength: 65_536 }),
});
export type BuildParameter = Infer<typeof BuildParameter>;

export const WorkspaceBuild = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  workspace_id: Uuid,
  workspace_name: Type.String(),
  workspace_owner_id: Uuid,
  workspace_owner_name: Type.String(),
  template_version_id: Uuid,
  template_version_name: Type.String(),
  build_number: Type.Integer({ minimum: 1 }),
  transition: Transition,
  initiator_id: Uuid,
  initiator_name: Type.String(),
  job: ProvisionerJob,
  reason: BuildReason,
  resources: Type.Array(WorkspaceResource),
  deadline: nullable(Timestamp),
  max_deadline: nullable(Timestamp),
  status: BuildStatus,
  daily_cost: Type.Integer(),
  matched_provisioners: Type.Optional(MatchedProvisioners),
  template_version_preset_id: nullable(Uuid),
  has_ai_task: Type.Optional(Type.Boolean()),
  has_external_agent: Type.Optional(Type.Boolean()),
});
export type WorkspaceBuild = Infer<typeof WorkspaceBuild>;

/** The longest state of a build in base64: 16 MiB. */
export const maxStateLength = 4 * Math.ceil((16 * 1024 * 1024) / 3);
/** The size of a request for a build with a state; larger ones are pushed without a build. */
export const maxBuildBodyBytes = 2 * 1024 * 1024;

export const CreateBuildRequest = Type.Object({
  transition: Transition,
  template_version_id: Type.Optional(Uuid),
  template_version_preset_id: Type.Optional(Uuid),
  rich_parameter_values: Type.Optional(nullable(Type.Array(BuildParameter, { maxItems: 100 }))),
  reason: Type.Optional(BuildReason),
  orphan: Type.Optional(Type.Boolean()),
  /** The provisioner state to continue from, in base64; for those who write templates. */
  state: Type.Optional(Type.String({ maxLength: maxStateLength })),
});
export type CreateBuildRequest = Infer<typeof CreateBuildRequest>;
