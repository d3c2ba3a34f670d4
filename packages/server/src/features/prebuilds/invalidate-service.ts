import type { InvalidatedPresets } from "@slipway/api/prebuilds/routes";
import { sql } from "kysely";

import { mayWriteTemplates } from "../../platform/auth/rights.ts";
import type { Database, Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import { forbidden } from "../../platform/errors/errors.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { recordTemplateChange } from "../templates/audit.ts";
import { requireTemplate } from "../templates/service.ts";

/**
 * Invalidates all prebuilds of a template's active version: none of them can be claimed any more, and the next
 * reconciliation of its pools, triggered by a database notification, deletes them.
 */
export async function invalidatePrebuilds(
  db: Database,
  caller: UserCaller,
  templateId: string,
): Promise<InvalidatedPresets> {
  if (!mayWriteTemplates(caller))
    throw forbidden("Only owners and template admins can write templates.");
  const template = await requireTemplate(db, templateId);
  const rows = await inTransaction(db, async (trx) => {
    const stamped = await stampInvalidated(trx, template.id);
    if (stamped.length === 0) return stamped;
    const names = stamped.map(({ preset_name }) => preset_name);
    const fields = { invalidated_presets: names.toSorted() };
    await recordTemplateChange(trx, caller, template, { action: "write", fields });
    return stamped;
  });
  return {
    invalidated: rows
      .map(({ preset_name, version_name }) => ({
        template_name: template.name,
        template_version_name: version_name,
        preset_name,
      }))
      .toSorted((a, b) => (a.preset_name < b.preset_name ? -1 : 1)),
  };
}

interface InvalidatedRow {
  readonly preset_name: string;
  readonly version_name: string;
}

/**
 * Stamps the presets with a pool of a template's active version. In whole milliseconds, the precision at which pools
 * are compared: what is built within the same millisecond stays.
 */
async function stampInvalidated(
  db: Queryable,
  templateId: string,
): Promise<readonly InvalidatedRow[]> {
  const { rows } = await sql<InvalidatedRow>`
    update template_version_presets preset
      set last_invalidated_at = date_trunc('milliseconds', now())
      from templates t join template_versions v on v.id = t.active_version_id
      where t.id = ${templateId} and preset.template_version_id = v.id
        and preset.desired_instances is not null
      returning preset.name as preset_name, v.name as version_name`.execute(db);
  return rows;
}
