import { prebuildsUserId } from "@slipway/api/prebuilds/prebuild";
import type { PrebuildClaim } from "@slipway/api/prebuilds/routes";
import { sql } from "kysely";

import type { Queryable } from "../../../platform/db/database.ts";
import type { UserCaller } from "../../../platform/http/caller.ts";
import { requirePoolReader } from "../settings-service.ts";

/** The number of claims in the answer. */
const maxClaims = 50;

/** Lists the latest claims with their times, newest first; throws `NotFound` for callers who may not see pools. */
export async function listClaims(db: Queryable, caller: UserCaller): Promise<PrebuildClaim[]> {
  requirePoolReader(caller);
  return [...(await selectClaims(db))];
}

/**
 * Selects the latest claims. The second build of a prebuild is its claim, unless the system user started that too. Second
 * starts with a preset are read by time (`workspace_builds_claims`), and agents by their resources: no index has those
 * that have ended by their build.
 */
async function selectClaims(db: Queryable): Promise<readonly PrebuildClaim[]> {
  const { rows } = await sql<PrebuildClaim>`
    select w.id as workspace_id, w.name as workspace_name, w.deleted as workspace_deleted, u.username as owner_name,
        t.name as template_name, preset.name as preset_name, first.created_at as created_at,
        claim.created_at as claimed_at, agents.reinit_sent_at, agents.reinit_received_at, agents.ready_at
      from workspace_builds claim
        join workspace_builds first on first.workspace_id = claim.workspace_id and first.build_number = 1
        join template_version_presets preset on preset.id = first.template_version_preset_id
        join workspaces w on w.id = claim.workspace_id
        join templates t on t.id = w.template_id
        join users u on u.id = claim.owner_id
        cross join lateral (
          select max(a.reinit_sent_at) as reinit_sent_at, max(a.reinit_received_at) as reinit_received_at,
              case when count(*) = count(a.ready_at) then max(a.ready_at) end as ready_at
            from workspace_resources resource join workspace_agents a on a.resource_id = resource.id
            where resource.job_id = claim.job_id and a.parent_id is null) agents
      where claim.build_number = 2 and claim.transition = 'start' and claim.template_version_preset_id is not null
        and claim.owner_id <> ${sql.lit(prebuildsUserId)} and first.initiator_id = ${sql.lit(prebuildsUserId)}
      order by claim.created_at desc
      limit ${maxClaims}`.execute(db);
  return rows;
}
