import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import { jobStatus } from "../../../platform/jobs/job-sql.ts";

/** The fate of all prebuilds of a preset, over all versions of its template and including deleted ones. */
export interface PoolTotals {
  readonly organization_name: string;
  readonly template_id: string;
  readonly template_name: string;
  readonly template_deleted: boolean;
  readonly preset_name: string;
  readonly created: number;
  /** The number of them whose first build failed. */
  readonly failed: number;
  readonly claimed: number;
}

/**
 * Selects the totals. A prebuild is identified by its first build, which the system user started
 * (docs/protocol/prebuilds.md §1.2). That user's id is a literal, so that the index of such builds applies.
 */
export async function selectTotals(db: Queryable): Promise<readonly PoolTotals[]> {
  const { rows } = await sql<PoolTotals>`
    select o.name as organization_name, t.id as template_id, t.name as template_name,
        t.deleted as template_deleted, preset.name as preset_name, count(*) as created,
        count(*) filter (where ${jobStatus("j")} = 'failed') as failed,
        count(*) filter (where w.owner_id <> ${prebuildsUserId}) as claimed
      from workspace_builds b
        join jobs j on j.id = b.job_id
        join workspaces w on w.id = b.workspace_id
        join template_version_presets preset on preset.id = b.template_version_preset_id
        join templates t on t.id = w.template_id
        join organizations o on o.id = t.organization_id
      where b.build_number = 1 and b.initiator_id = ${sql.lit(prebuildsUserId)}
      group by o.id, t.id, preset.name
      order by o.name, t.name, preset.name`.execute(db);
  return rows;
}
