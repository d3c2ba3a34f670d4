import { Type } from "typebox";

import { type Infer, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

export const JobStatus = oneOf(
  "pending",
  "running",
  "succeeded",
  "canceling",
  "canceled",
  "failed",
  "unknown",
);
export type JobStatus = Infer<typeof JobStatus>;

export const JobType = oneOf(
  "template_version_import",
  "workspace_build",
  "template_version_dry_run",
);
export type JobType = Infer<typeof JobType>;

/** The most pending jobs that are counted before a pending one, and after it. */
export const maxCountedJobs = 100;

/** A job that carries out an import or a build (docs/protocol/clients.md §2.3). */
export const ProvisionerJob = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  started_at: Type.Optional(Timestamp),
  completed_at: Type.Optional(Timestamp),
  canceled_at: Type.Optional(Timestamp),
  error: Type.Optional(Type.String()),
  error_code: Type.Optional(Type.String()),
  status: JobStatus,
  worker_id: Type.Optional(Uuid),
  worker_name: Type.Optional(Type.String()),
  file_id: Uuid,
  tags: Type.Record(Type.String(), Type.String()),
  /** Of a pending job: its place among those that the same workers take, from 1; `maxCountedJobs + 1` and more are the same. */
  queue_position: Type.Integer(),
  queue_size: Type.Integer(),
  organization_id: Uuid,
  initiator_id: Uuid,
  input: Type.Object({
    template_version_id: Type.Optional(Uuid),
    workspace_build_id: Type.Optional(Uuid),
    error: Type.Optional(Type.String()),
  }),
  type: JobType,
  metadata: Type.Object({
    template_version_name: Type.String(),
    template_id: Uuid,
    template_name: Type.String(),
    template_display_name: Type.String(),
    template_icon: Type.String(),
    workspace_id: Type.Optional(Uuid),
    workspace_name: Type.Optional(Type.String()),
    workspace_build_transition: Type.Optional(oneOf("start", "stop", "delete")),
  }),
  logs_overflowed: Type.Boolean(),
});
export type ProvisionerJob = Infer<typeof ProvisionerJob>;

export const LogLevel = oneOf("trace", "debug", "info", "warn", "error");
export type LogLevel = Infer<typeof LogLevel>;

/** One line of a job's log. A stage begins with an entry of empty output (docs/protocol/clients.md §2.6). */
export const JobLog = Type.Object({
  id: Type.Integer(),
  created_at: Timestamp,
  log_source: oneOf("provisioner_daemon", "provisioner"),
  log_level: LogLevel,
  stage: Type.String(),
  output: Type.String(),
});
export type JobLog = Infer<typeof JobLog>;

/** The query of a log that can be followed; `follow` counts by its presence, whatever its value. */
export const LogQuery = Type.Object({
  after: Type.Optional(Type.String()),
  before: Type.Optional(Type.String()),
  follow: Type.Optional(Type.String()),
});
