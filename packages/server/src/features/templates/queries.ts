import {
  type CorsBehavior,
  prebuildsUserId,
  type SharingLevel,
  type Transition,
  type Weekday,
} from "@slipway/api";
import { sql } from "kysely";

import type { Queryable } from "../../platform/db/database.ts";
import { prepareQuery } from "../../platform/db/prepared-query.ts";
import { newestBuild } from "../../platform/jobs/build-sql.ts";
import { endOfLife } from "../../platform/jobs/deadline-sql.ts";
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

/** Selects templates with their usage: the users who have workspaces of it, and the durations of its builds. */
function templatesInUse(db: Queryable) {
  return templates(db)
    .select((eb) =>
      eb
        .selectFrom("workspaces as w")
        .whereRef("w.template_id", "=", "t.id")
        .where("w.deleted", "=", sql.lit(false))
        .where("w.owner_id", "<>", prebuildsUserId)
        .select(sql<number>`count(distinct w.owner_id)`.as("count"))
        .as("active_user_count"),
    )
    .select(buildTimes.as("build_times"));
}

/**
 * The durations of a template's newest successful builds, in milliseconds, by transition: 50 of each of the newest 20 versions
 * that have builds. However many builds there ever were, at most a thousand are read.
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

export interface InsertTemplate {
  readonly organizationId: string;
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  readonly icon: string;
  readonly activeVersionId: string;
  readonly createdBy: string;
}

export async function insertTemplate(db: Queryable, input: InsertTemplate): Promise<string> {
  const row = await db
    .insertInto("templates")
    .values({
      organization_id: input.organizationId,
      name: input.name,
      display_name: input.displayName,
      description: input.description,
      icon: input.icon,
      active_version_id: input.activeVersionId,
      created_by: input.createdBy,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function updateActiveVersion(
  db: Queryable,
  templateId: string,
  versionId: string,
): Promise<void> {
  await db
    .updateTable("templates")
    .set({ active_version_id: versionId, updated_at: sql`now()` })
    .where("id", "=", templateId)
    .execute();
}

/** The columns that a request may change; undefined leaves one unchanged. */
export interface TemplateChanges {
  readonly name: string | undefined;
  readonly display_name: string | undefined;
  readonly description: string | undefined;
  readonly icon: string | undefined;
  readonly deprecation_message: string | undefined;
  readonly default_ttl_ms: number | undefined;
  readonly activity_bump_ms: number | undefined;
  readonly failure_ttl_ms: number | undefined;
  readonly time_til_dormant_ms: number | undefined;
  readonly time_til_dormant_autodelete_ms: number | undefined;
  readonly autostop_days: Weekday[] | undefined;
  readonly autostop_weeks: number | undefined;
  readonly require_active_version: boolean | undefined;
  readonly allow_user_autostart: boolean | undefined;
  readonly allow_user_autostop: boolean | undefined;
  readonly allow_user_cancel_workspace_jobs: boolean | undefined;
  readonly use_classic_parameter_flow: boolean | undefined;
  readonly max_port_share_level: SharingLevel | undefined;
  readonly cors_behavior: CorsBehavior | undefined;
}

export async function updateTemplate(
  db: Queryable,
  id: string,
  changes: TemplateChanges,
): Promise<void> {
  const deletionMs = changes.time_til_dormant_autodelete_ms;
  await db
    .updateTable("templates")
    .set({
      ...changes,
      updated_at: sql`now()`,
      ...(deletionMs === undefined
        ? {}
        : {
            dormant_autodelete_set_at: sql`case when time_til_dormant_autodelete_ms = ${deletionMs}
              then dormant_autodelete_set_at else now() end`,
          }),
    })
    .where("id", "=", id)
    .execute();
}

/** Counts this moment as use of all workspaces of a template. */
export async function updateLastUsed(db: Queryable, templateId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ last_used_at: sql`now()` })
    .where("template_id", "=", templateId)
    .where("deleted", "=", sql.lit(false))
    .where("owner_id", "<>", prebuildsUserId)
    .execute();
}

/** Counts all dormant workspaces of a template as dormant from this moment on. */
export async function updateDormantSince(db: Queryable, templateId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ dormant_at: sql`now()`, updated_at: sql`now()` })
    .where("template_id", "=", templateId)
    .where("deleted", "=", sql.lit(false))
    .where("dormant_at", "is not", null)
    .execute();
}

/**
 * Holds off the transfer of workspaces with this template to users until the transaction ends; false when it was
 * deleted. It waits for transfers in progress.
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

/** Marks a template as deleted; false while it has workspaces other than prebuilds, which go with it. */
export async function markTemplateDeleted(db: Queryable, id: string): Promise<boolean> {
  const result = await db
    .updateTable("templates as t")
    .set({ deleted: true, updated_at: sql`now()` })
    .where("t.id", "=", id)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("workspaces as w")
            .whereRef("w.template_id", "=", "t.id")
            .where("w.deleted", "=", sql.lit(false))
            .where("w.owner_id", "<>", prebuildsUserId)
            .select("w.id"),
        ),
      ),
    )
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Counts the owners who used workspaces of a template, by day, in a time zone `offsetHours` from UTC. */
export function selectUsersByDay(
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

/**
 * Clears the times at which the running workspaces of a template must stop, which the scheduler sets again by the present
 * rule. Deadlines that followed from them alone become what the time to live says, from now.
 */
export async function clearRequiredStops(db: Queryable, templateId: string): Promise<void> {
  await sql`
    update workspace_builds b
      set max_deadline = null, updated_at = now(),
        deadline = case when b.deadline < b.max_deadline then b.deadline else ${endOfLife} end
      from workspaces w
        join templates t on t.id = w.template_id
        cross join lateral ${newestBuild(sql`w.id`)} newest
      where b.id = newest.id and b.max_deadline is not null and w.template_id = ${templateId}
        and not w.deleted`.execute(db);
}
