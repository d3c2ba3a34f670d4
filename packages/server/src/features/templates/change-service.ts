import type { SharingLevel } from "@slipway/api/agents/app";
import { nameProblem } from "@slipway/api/contract/name";
import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type {
  CorsBehavior,
  Template,
  UpdateTemplateRequest,
  Weekday,
} from "@slipway/api/templates/template";
import { weekdays } from "@slipway/api/templates/template";
import { sql } from "kysely";

import type { Database, Queryable } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { Invalid, invalidField, takenField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { endOfLife, newestBuild } from "../../platform/jobs/build-sql.ts";
import { diffOf } from "../audit/service.ts";
import { recordTemplateChange } from "./audit.ts";
import { readTemplate, requireLocked, requireTemplateWriter } from "./service.ts";

/** Settings of the contract with a fixed value: another one is refused, because it would have no effect. */
const fixedSettings = [
  "time_til_autostop_notify_ms",
  "autostart_requirement",
  "disable_module_cache",
] as const satisfies readonly (keyof Template & keyof UpdateTemplateRequest)[];

/** Changes the fields of a template that a request names. */
export async function changeTemplate(
  db: Database,
  caller: UserCaller,
  id: string,
  request: UpdateTemplateRequest,
): Promise<Template> {
  requireTemplateWriter(caller);
  refuseFixedSettings(await readTemplate(db, id), request);
  const name = request.name === undefined || request.name === "" ? undefined : request.name;
  const problem = name === undefined ? undefined : nameProblem(name);
  if (problem !== undefined) throw invalidField("name", problem);
  const changes = {
    name,
    display_name: request.display_name,
    description: request.description,
    icon: request.icon,
    deprecation_message: request.deprecation_message ?? undefined,
    default_ttl_ms: request.default_ttl_ms,
    activity_bump_ms: request.activity_bump_ms,
    failure_ttl_ms: readWait("failure_ttl_ms", request.failure_ttl_ms),
    time_til_dormant_ms: readWait("time_til_dormant_ms", request.time_til_dormant_ms),
    time_til_dormant_autodelete_ms: readWait(
      "time_til_dormant_autodelete_ms",
      request.time_til_dormant_autodelete_ms,
      minDormantDeletion,
    ),
    require_active_version: request.require_active_version,
    allow_user_autostart: request.allow_user_autostart,
    allow_user_autostop: request.allow_user_autostop,
    allow_user_cancel_workspace_jobs: request.allow_user_cancel_workspace_jobs,
    use_classic_parameter_flow: request.use_classic_parameter_flow ?? undefined,
    max_port_share_level: request.max_port_share_level ?? undefined,
    cors_behavior: request.cors_behavior ?? undefined,
  };
  const autostop = readAutostopRequirement(request.autostop_requirement ?? undefined);
  await inTransaction(db, async (trx) => {
    await requireLocked(trx, id);
    const template = await readTemplate(trx, id);
    await updateTemplate(trx, id, {
      ...changes,
      autostop_days: autostop?.days_of_week,
      autostop_weeks: autostop?.weeks,
    });
    const diff = diffOf({ ...template }, setFields({ ...changes, autostop_requirement: autostop }));
    if (diff["autostop_requirement"] !== undefined) await clearRequiredStops(trx, id);
    if (request.update_workspace_last_used_at === true) await updateLastUsed(trx, id);
    if (request.update_workspace_dormant_at === true) await updateDormantSince(trx, id);
    await recordTemplateChange(trx, caller, template, { action: "write", diff });
  }).catch((error: unknown) => {
    if (!violatesUnique(error, "templates_name")) throw error;
    throw takenField("name", `Template with name "${name ?? ""}" already exists.`);
  });
  return readTemplate(db, id);
}

/** Reads the nights in which workspaces stop: the days in order, and at least 1 week. */
function readAutostopRequirement(
  wanted: Template["autostop_requirement"] | undefined,
): Template["autostop_requirement"] | undefined {
  if (wanted === undefined) return undefined;
  const days_of_week = weekdays.filter((day) => wanted.days_of_week.includes(day));
  return { days_of_week, weeks: Math.max(1, wanted.weeks) };
}

/** A minimum time, in milliseconds and in words. */
interface ShortestWait {
  readonly ms: number;
  readonly text: string;
}

/** The minimum time after which a rule of a template affects a workspace. */
const minWait: ShortestWait = { ms: 60_000, text: "1 minute" };
/** The minimum time after which a rule deletes a workspace: its owner has a day after the notice. */
const minDormantDeletion: ShortestWait = { ms: 24 * 3_600_000, text: "1 day" };

/** Reads the time after which a rule applies; 0: never. Throws `Invalid` for one that is too short. */
function readWait(
  field: string,
  ms: number | undefined,
  shortest: ShortestWait = minWait,
): number | undefined {
  if (ms === undefined || ms === 0 || ms >= shortest.ms) return ms;
  throw invalidField(field, `must be 0 or at least ${shortest.ms} (${shortest.text}), found ${ms}`);
}

/** Returns the changes without unset fields. */
function setFields(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

function refuseFixedSettings(template: Template, request: UpdateTemplateRequest): void {
  for (const key of fixedSettings) {
    const wanted = request[key];
    if (wanted === undefined || wanted === null) continue;
    const fixed = template[key];
    if (JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(fixed))) continue;
    throw invalidField(key, `must be ${JSON.stringify(fixed)} on this server`);
  }
}

/** Returns a value with sorted keys and sorted lists of strings. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(String).toSorted((a, b) => (a < b ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, sorted(part)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Deletes a template; throws `Invalid` while it has workspaces. */
export async function deleteTemplate(db: Database, caller: UserCaller, id: string): Promise<void> {
  requireTemplateWriter(caller);
  await inTransaction(db, async (trx) => {
    const template = await requireLocked(trx, id);
    if (!(await markTemplateDeleted(trx, id))) {
      throw new Invalid("All workspaces must be deleted before a template can be removed.", {
        detail: `Template ${template.name} still has workspaces.`,
      });
    }
    await recordTemplateChange(trx, caller, template, { action: "delete" });
  });
}

/** The columns that a request may change; undefined leaves one unchanged. */
interface TemplateChanges {
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

async function updateTemplate(db: Queryable, id: string, changes: TemplateChanges): Promise<void> {
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

/**
 * Clears the times at which the running workspaces of a template must stop; the scheduler sets them again by the new rule.
 * Deadlines that followed from these times alone are set by the time to live, from now.
 */
async function clearRequiredStops(db: Queryable, templateId: string): Promise<void> {
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

/** Marks all workspaces of a template as used now. */
async function updateLastUsed(db: Queryable, templateId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ last_used_at: sql`now()` })
    .where("template_id", "=", templateId)
    .where("deleted", "=", sql.lit(false))
    .where("owner_id", "<>", prebuildsUserId)
    .execute();
}

/** Restarts the dormancy of all dormant workspaces of a template. */
async function updateDormantSince(db: Queryable, templateId: string): Promise<void> {
  await db
    .updateTable("workspaces")
    .set({ dormant_at: sql`now()`, updated_at: sql`now()` })
    .where("template_id", "=", templateId)
    .where("deleted", "=", sql.lit(false))
    .where("dormant_at", "is not", null)
    .execute();
}

/** Marks a template as deleted; false while it has workspaces other than prebuilds, which are deleted with it. */
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
