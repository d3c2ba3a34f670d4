import type { Transition } from "@slipway/api/builds/resource";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { hasSucceeded } from "../../platform/jobs/job-sql.ts";

function templates(db: Queryable) {
  return db
    .selectFrom("templates as t")
    .innerJoin("organizations as o", "o.id", "t.organization_id")
    .innerJoin("users as u", "u.id", "t.created_by")
    .where("t.deleted", "=", sql.lit(false))
    .select([
      "t.id",
      "t.organization_id",
      "o.name as organization_name",
      "o.display_name as organization_display_name",
      "o.icon as organization_icon",
      "t.name",
      "t.display_name",
      "t.description",
      "t.icon",
      "t.active_version_id",
      "t.deprecation_message",
      "t.default_ttl_ms",
      "t.activity_bump_ms",
      "t.failure_ttl_ms",
      "t.time_til_dormant_ms",
      "t.time_til_dormant_autodelete_ms",
      "t.autostop_days",
      "t.autostop_weeks",
      "t.require_active_version",
      "t.allow_user_autostart",
      "t.allow_user_autostop",
      "t.allow_user_cancel_workspace_jobs",
      "t.use_classic_parameter_flow",
      "t.max_port_share_level",
      "t.cors_behavior",
      "t.created_by",
      "u.username as created_by_name",
      "t.created_at",
      "t.updated_at",
    ]);
}

/** Selects templates with their usage: the number of users with workspaces, and the durations of builds. */
function templatesInUse(db: Queryable) {
  return templates(db)
    .select(activeUserCount.as("active_user_count"))
    .select(buildTimes.as("build_times"));
}

/** The number of users with workspaces of a template; reads one workspace of each, in the order of an index. */
const activeUserCount = sql<number>`(
  with recursive active (owner_id) as (
    (select w.owner_id from workspaces w where w.template_id = t.id and not w.deleted
      order by w.owner_id limit 1)
    union all
    select (select w.owner_id from workspaces w
        where w.template_id = t.id and not w.deleted and w.owner_id > active.owner_id
        order by w.owner_id limit 1)
      from active where active.owner_id is not null)
  select count(active.owner_id)::int from active where active.owner_id <> ${sql.lit(prebuildsUserId)})`;

/**
 * The durations of a template's newest successful builds, in milliseconds, by transition: 50 of each of the newest 20 versions
 * that have builds: at most a thousand builds are read.
 */
const buildTimes = sql<BuildTimes>`(
  select coalesce(jsonb_object_agg(times.transition, times.percentiles), '{}')
  from (
    select taken.transition, jsonb_build_object(
      'P50', percentile_disc(0.5) within group (order by taken.ms),
      'P95', percentile_disc(0.95) within group (order by taken.ms)) as percentiles
    from (
      select v.id from template_versions v
        cross join lateral (
          select from workspace_builds b
            where b.template_version_id = v.id order by b.created_at desc limit 1
        ) first_build
        where v.template_id = t.id
        order by v.created_at desc limit 20
    ) version
    cross join lateral (
      select b.transition,
          round(extract(epoch from job.completed_at - job.started_at) * 1000)::int as ms
        from workspace_builds b
        join jobs job on job.id = b.job_id
        where b.template_version_id = version.id and ${hasSucceeded("job")}
        order by b.created_at desc limit 50
    ) taken
    group by taken.transition
  ) times)`;

type BuildTimes = Readonly<
  Partial<Record<Transition, { readonly P50: number; readonly P95: number }>>
>;

export interface TemplateFilter {
  readonly exactName: string | undefined;
  readonly isDeprecated: boolean | undefined;
}

export function selectTemplates(db: Queryable, { exactName, isDeprecated }: TemplateFilter) {
  return templatesInUse(db)
    .$if(exactName !== undefined, (all) =>
      all.where(sql`lower(t.name)`, "=", (exactName ?? "").toLowerCase()),
    )
    .$if(isDeprecated !== undefined, (all) =>
      all.where("t.deprecation_message", isDeprecated === true ? "<>" : "=", ""),
    )
    .orderBy("t.name")
    .execute();
}

const templatesById = prepareQuery((db, id: string) => templates(db).where("t.id", "=", id));

export async function selectTemplate(db: Queryable, id: string): Promise<TemplateRow | undefined> {
  const [row] = await templatesById(db, id);
  return row;
}

export type TemplateRow = Awaited<ReturnType<typeof templatesById>>[number];

export function selectTemplateInUse(db: Queryable, id: string) {
  return templatesInUse(db).where("t.id", "=", id).executeTakeFirst();
}

export type TemplateInUseRow = NonNullable<Awaited<ReturnType<typeof selectTemplateInUse>>>;

export function selectTemplateByName(db: Queryable, organizationId: string, name: string) {
  return templatesInUse(db)
    .where("t.organization_id", "=", organizationId)
    .where(sql`lower(t.name)`, "=", name.toLowerCase())
    .executeTakeFirst();
}

/**
 * Locks a template against claims of its workspaces until the transaction ends; false when it was deleted. It waits for
 * claims in progress.
 */
export async function lockTemplate(db: Queryable, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("templates")
    .where("id", "=", id)
    .where("deleted", "=", sql.lit(false))
    .select("id")
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined;
}
