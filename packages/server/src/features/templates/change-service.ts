import { nameProblem, type Template, type UpdateTemplateRequest, weekdays } from "@slipway/api";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Database } from "../../platform/db/database.ts";
import { violatesUnique } from "../../platform/db/errors.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden, Invalid, invalidField, takenField } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { diffOf } from "../audit/service.ts";
import { recordTemplateChange } from "./audit.ts";
import {
  clearRequiredStops,
  markTemplateDeleted,
  updateDormantSince,
  updateLastUsed,
  updateTemplate,
} from "./queries.ts";
import { readTemplate, requireLocked } from "./service.ts";

/** Settings of the contract with one value here: another one is refused, because it would have no effect. */
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
  requireWriter(caller);
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
    const diff = diffOf({ ...template }, given({ ...changes, autostop_requirement: autostop }));
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

/** Reads the nights in which workspaces stop, with their days in order; 0 weeks are 1. */
function readAutostopRequirement(
  wanted: Template["autostop_requirement"] | undefined,
): Template["autostop_requirement"] | undefined {
  if (wanted === undefined) return undefined;
  const days_of_week = weekdays.filter((day) => wanted.days_of_week.includes(day));
  return { days_of_week, weeks: Math.max(1, wanted.weeks) };
}

/** A shortest time, in milliseconds and in words. */
interface ShortestWait {
  readonly ms: number;
  readonly text: string;
}

/** The shortest time after which a rule of a template does something to a workspace. */
const minWait: ShortestWait = { ms: 60_000, text: "1 minute" };
/** The shortest time after which one deletes a workspace: its owner has a day from the message on. */
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
function given(changes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
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

/** Returns a value with its keys and its lists, which are of texts, in a fixed order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(String).toSorted((a, b) => (a < b ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, sorted(part)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Deletes a template; throws `Invalid` while it has workspaces. */
export async function deleteTemplate(db: Database, caller: UserCaller, id: string): Promise<void> {
  requireWriter(caller);
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

function requireWriter(caller: UserCaller): void {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
}
