import { Type } from "typebox";

import { SharingLevel } from "../agents/app.ts";
import { type Infer, nullable, oneOf, Timestamp, Uuid } from "../contract/scalars.ts";

/** The party that decides which pages may read the responses of apps: the server, or the apps themselves. */
export const CorsBehavior = oneOf("simple", "passthru");
export type CorsBehavior = Infer<typeof CorsBehavior>;

/** The days of the week, in order. */
export const weekdays = [
  "monday",
  "tuesday",
  "wednesday",
  "thursday",
  "friday",
  "saturday",
  "sunday",
] as const;
export type Weekday = (typeof weekdays)[number];

/**
 * The nights in which running workspaces stop, whether or not they are in use: those in which one of the days begins,
 * at midnight UTC, in every nth week. Weeks are counted from Monday, 2 January 2023, for all workspaces; 0 stands for
 * 1.
 */
const AutostopRequirement = Type.Object({
  days_of_week: Type.Array(oneOf(...weekdays), { maxItems: weekdays.length }),
  weeks: Type.Integer({ minimum: 0, maximum: 16 }),
});

const BuildTime = Type.Object({
  P50: nullable(Type.Integer()),
  P95: nullable(Type.Integer()),
});

export const Template = Type.Object({
  id: Uuid,
  created_at: Timestamp,
  updated_at: Timestamp,
  organization_id: Uuid,
  organization_name: Type.String(),
  organization_display_name: Type.String(),
  organization_icon: Type.String(),
  name: Type.String(),
  display_name: Type.String(),
  provisioner: Type.String(),
  active_version_id: Uuid,
  active_user_count: Type.Integer(),
  build_time_stats: Type.Object({ start: BuildTime, stop: BuildTime, delete: BuildTime }),
  description: Type.String(),
  deprecated: Type.Boolean(),
  deprecation_message: Type.String(),
  deleted: Type.Boolean(),
  icon: Type.String(),
  default_ttl_ms: Type.Integer(),
  activity_bump_ms: Type.Integer(),
  time_til_autostop_notify_ms: Type.Integer(),
  autostop_requirement: AutostopRequirement,
  autostart_requirement: Type.Object({ days_of_week: Type.Array(Type.String()) }),
  created_by_id: Uuid,
  created_by_name: Type.String(),
  allow_user_autostart: Type.Boolean(),
  allow_user_autostop: Type.Boolean(),
  allow_user_cancel_workspace_jobs: Type.Boolean(),
  failure_ttl_ms: Type.Integer(),
  time_til_dormant_ms: Type.Integer(),
  time_til_dormant_autodelete_ms: Type.Integer(),
  require_active_version: Type.Boolean(),
  max_port_share_level: SharingLevel,
  cors_behavior: CorsBehavior,
  use_classic_parameter_flow: Type.Boolean(),
  disable_module_cache: Type.Boolean(),
});
export type Template = Infer<typeof Template>;

export const CreateTemplateRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 32 }),
  display_name: Type.Optional(Type.String({ maxLength: 64 })),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  icon: Type.Optional(Type.String({ maxLength: 256 })),
  template_version_id: Uuid,
});
export const UpdateActiveVersionRequest = Type.Object({ id: Uuid });

const maxDurationMs = 10 * 365 * 24 * 3_600_000;
const Duration = Type.Optional(Type.Integer({ minimum: 0, maximum: maxDurationMs }));

/**
 * The changes to a template; omitted fields keep their values. The fields after the blank line have a fixed value on
 * this server: any other value is refused.
 */
export const UpdateTemplateRequest = Type.Object({
  name: Type.Optional(Type.String({ maxLength: 32 })),
  display_name: Type.Optional(Type.String({ maxLength: 64 })),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  icon: Type.Optional(Type.String({ maxLength: 256 })),
  deprecation_message: Type.Optional(nullable(Type.String({ maxLength: 1024 }))),
  default_ttl_ms: Duration,
  activity_bump_ms: Duration,
  /** The time after which a workspace whose start failed is stopped; 0: never. At least a minute. */
  failure_ttl_ms: Duration,
  /**
   * The time after which an unused workspace becomes dormant: stopped until it is activated; 0: never. At least a
   * minute.
   */
  time_til_dormant_ms: Duration,
  /** True to count this change as use of all workspaces, so that none becomes dormant immediately. */
  update_workspace_last_used_at: Type.Optional(Type.Boolean()),
  /**
   * The time after which a dormant workspace is deleted; 0: never. At least a day, and no workspace is deleted within
   * a day of this change; its `deleting_at` is the time.
   */
  time_til_dormant_autodelete_ms: Duration,
  /** True to count currently dormant workspaces as dormant from this change on. */
  update_workspace_dormant_at: Type.Optional(Type.Boolean()),
  require_active_version: Type.Optional(Type.Boolean()),
  autostop_requirement: Type.Optional(nullable(AutostopRequirement)),
  /** True if owners may schedule the start of their workspaces; otherwise schedules can neither be set nor take effect. */
  allow_user_autostart: Type.Optional(Type.Boolean()),
  /** True if owners may set the time to live of their workspaces; otherwise all have the template's default. */
  allow_user_autostop: Type.Optional(Type.Boolean()),
  allow_user_cancel_workspace_jobs: Type.Optional(Type.Boolean()),
  use_classic_parameter_flow: Type.Optional(nullable(Type.Boolean())),
  /** The widest level at which ports of its workspaces are shared; a lower one also lowers existing shares. */
  max_port_share_level: Type.Optional(nullable(SharingLevel)),
  cors_behavior: Type.Optional(nullable(CorsBehavior)),

  time_til_autostop_notify_ms: Type.Optional(Type.Integer()),
  autostart_requirement: Type.Optional(nullable(Type.Unknown())),
  disable_module_cache: Type.Optional(nullable(Type.Boolean())),
});
export type UpdateTemplateRequest = Infer<typeof UpdateTemplateRequest>;

/** The distinct users of a template's workspaces by day (`tz_offset` hours from UTC). */
export const TemplateUsers = Type.Object({
  tz_hour_offset: Type.Integer(),
  entries: Type.Array(Type.Object({ date: Type.String(), amount: Type.Integer() })),
});
export type TemplateUsers = Infer<typeof TemplateUsers>;

/** A starter template. A new version names its `id` as `example_id`. */
export const TemplateExample = Type.Object({
  id: Type.String(),
  url: Type.String(),
  name: Type.String(),
  description: Type.String(),
  icon: Type.String(),
  tags: Type.Array(Type.String()),
  markdown: Type.String(),
});
export type TemplateExample = Infer<typeof TemplateExample>;
