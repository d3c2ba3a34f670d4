import type { Template, TemplateUsers } from "@slipway/api/templates/template";
import { weekdays } from "@slipway/api/templates/template";
import { sql, type Transaction } from "kysely";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { DB } from "../../platform/db/gen/schema.ts";
import { forbidden, Invalid, invalidField, notFound } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import {
  lockTemplate,
  selectTemplate,
  selectTemplateByName,
  selectTemplateInUse,
  selectTemplates,
  type TemplateInUseRow,
  type TemplateRow,
} from "./queries.ts";
import { parseTemplateSearch } from "./search.ts";
import type { VersionRow } from "./version-queries.ts";
import { requireVersion } from "./version-service.ts";

/** Lists templates; `q` as in `parseTemplateSearch`. */
export async function listTemplates(db: Queryable, q: string): Promise<Template[]> {
  return (await selectTemplates(db, parseTemplateSearch(q))).map(templateJson);
}

/** Throws `Forbidden` for callers who may not write templates. */
export function requireTemplateWriter(caller: UserCaller): void {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
}

/** Reads a template's row; throws `NotFound`. */
export async function requireTemplate(db: Queryable, id: string): Promise<TemplateRow> {
  const row = await selectTemplate(db, id);
  if (row === undefined) throw notFound();
  return row;
}

/**
 * Locks a template that is about to be changed, with what decides which of its versions are in use, and reads its row;
 * throws `NotFound`.
 */
export async function requireLocked(trx: Transaction<DB>, id: string): Promise<TemplateRow> {
  if (!(await lockTemplate(trx, id))) throw notFound();
  return requireTemplate(trx, id);
}

export async function readTemplate(db: Queryable, id: string): Promise<Template> {
  const row = await selectTemplateInUse(db, id);
  if (row === undefined) throw notFound();
  return templateJson(row);
}

export async function readTemplateByName(
  db: Queryable,
  organizationId: string,
  name: string,
): Promise<Template> {
  const row = await selectTemplateByName(db, organizationId, name);
  if (row === undefined) throw notFound();
  return templateJson(row);
}

/** The number of days over which users are counted. */
const countedDays = 60;

/** Reads the number of users of a template's workspaces, for each day with any. */
export async function readTemplateUsers(
  db: Queryable,
  templateId: string,
  tzOffset: string | undefined,
): Promise<TemplateUsers> {
  const template = await requireTemplate(db, templateId);
  const offsetHours = readOffset(tzOffset ?? "");
  const entries = await selectUsersByDay(db, template.id, { days: countedDays, offsetHours });
  return { tz_hour_offset: offsetHours, entries };
}

function readOffset(text: string): number {
  if (text === "") return 0;
  const hours = /^[+-]?\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (hours >= -12 && hours <= 14) return hours;
  throw invalidField("tz_offset", `must be an integer from -12 to 14, found "${text}"`);
}

/**
 * Throws `Forbidden` for a version other than the active one, if the template requires its active version and the caller
 * may not write templates.
 */
export function requireUsableVersion(
  caller: UserCaller,
  template: Pick<TemplateRow, "name" | "active_version_id" | "require_active_version">,
  versionId: string,
): void {
  if (
    template.require_active_version &&
    versionId !== template.active_version_id &&
    !mayWriteTemplates(caller)
  ) {
    throw forbidden(
      `Template ${template.name} requires its active version. Update the workspace first.`,
    );
  }
}

/** Throws `Forbidden` if only template writers may cancel builds and the caller is not one. */
export async function requireMayCancel(
  db: Queryable,
  caller: UserCaller,
  versionId: string,
): Promise<void> {
  const { template_id: templateId } = await requireVersion(db, versionId);
  const template = templateId === null ? undefined : await selectTemplate(db, templateId);
  if (template === undefined || template.allow_user_cancel_workspace_jobs) return;
  if (!mayWriteTemplates(caller))
    throw forbidden(`Template ${template.name} does not allow users to cancel builds.`);
}

/** Throws `Invalid` if no new workspace may be created: the template is deprecated, or the version is archived. */
export function requireOpenForWorkspaces(
  template: Pick<TemplateRow, "name" | "deprecation_message">,
  version: Pick<VersionRow, "name" | "archived">,
): void {
  if (template.deprecation_message !== "") {
    throw new Invalid(
      `Template "${template.name}" has been deprecated, and cannot be used to create a new workspace.`,
      {
        detail: template.deprecation_message,
        validations: [{ field: "template_id", detail: template.deprecation_message }],
      },
    );
  }
  if (version.archived) {
    throw invalidField(
      "template_version_id",
      `must not be archived: unarchive version ${version.name}, or choose another`,
    );
  }
}

const noTimes = { P50: null, P95: null };

/** Returns the template as clients see it. */
function templateJson(row: TemplateInUseRow): Template {
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

/** Counts the owners who used workspaces of a template, by day, in a time zone `offsetHours` from UTC. */
function selectUsersByDay(
  db: Queryable,
  templateId: string,
  { days, offsetHours }: { readonly days: number; readonly offsetHours: number },
) {
  const day = sql<string>`to_char(stat.created_at at time zone 'UTC'
    + make_interval(hours => ${offsetHours}), 'YYYY-MM-DD')`;
  return db
    .selectFrom("workspace_agent_stats as stat")
    .innerJoin("workspace_agents as agent", "agent.id", "stat.workspace_agent_id")
    .innerJoin("workspace_builds as build", "build.id", "agent.workspace_build_id")
    .innerJoin("workspaces as w", "w.id", "build.workspace_id")
    .where("w.template_id", "=", templateId)
    .where("stat.created_at", ">", sql<string>`now() - make_interval(days => ${days})`)
    .select([day.as("date"), sql<number>`count(distinct w.owner_id)`.as("amount")])
    .groupBy(sql`1`)
    .orderBy(sql`1`)
    .execute();
}
