import { type Template, weekdays } from "@slipway/api";

import type { TemplateInUseRow } from "./queries.ts";

const noTimes = { P50: null, P95: null };

/** Returns the template as clients see it. */
export function templateJson(row: TemplateInUseRow): Template {
  return {
    id: row.id,
    created_at: row.created_at,
    updated_at: row.updated_at,
    organization_id: row.organization_id,
    organization_name: row.organization_name,
    organization_display_name: row.organization_display_name,
    organization_icon: row.organization_icon,
    name: row.name,
    display_name: row.display_name,
    provisioner: "slipway",
    active_version_id: row.active_version_id,
    active_user_count: row.active_user_count ?? 0,
    build_time_stats: {
      start: row.build_times.start ?? noTimes,
      stop: row.build_times.stop ?? noTimes,
      delete: row.build_times.delete ?? noTimes,
    },
    description: row.description,
    deprecated: row.deprecation_message !== "",
    deprecation_message: row.deprecation_message,
    deleted: false,
    icon: row.icon,
    default_ttl_ms: row.default_ttl_ms,
    activity_bump_ms: row.activity_bump_ms,
    time_til_autostop_notify_ms: 0,
    autostop_requirement: {
      days_of_week: row.autostop_days,
      weeks: row.autostop_weeks,
    },
    autostart_requirement: { days_of_week: [...weekdays] },
    created_by_id: row.created_by,
    created_by_name: row.created_by_name,
    allow_user_autostart: row.allow_user_autostart,
    allow_user_autostop: row.allow_user_autostop,
    allow_user_cancel_workspace_jobs: row.allow_user_cancel_workspace_jobs,
    failure_ttl_ms: row.failure_ttl_ms,
    time_til_dormant_ms: row.time_til_dormant_ms,
    time_til_dormant_autodelete_ms: row.time_til_dormant_autodelete_ms,
    require_active_version: row.require_active_version,
    max_port_share_level: row.max_port_share_level,
    cors_behavior: row.cors_behavior,
    use_classic_parameter_flow: row.use_classic_parameter_flow,
    disable_module_cache: false,
  };
}
