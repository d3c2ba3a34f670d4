import { fillPool } from "@slipway/testkit";
import { sql } from "kysely";
import { expect, inject, it } from "vitest";

import { sqlClaim } from "../src/features/claims/claim-queries.ts";
import type { Queryable } from "../src/platform/db/database.ts";
import { openStage } from "./support/claim-stage.ts";

const waiting = 30;
/** Those of the one workspace that is claimed, by several parts of the statement. */
const enough = 12;

const settings = {
  automatic_updates: "never",
  autostart_schedule: null,
  next_start_at: null,
  ttl_ms: null,
  on_deadline: "stop",
} as const;

/** Keeps the tables from being analyzed: of a table of a page, the planner then reads all. */
async function keepUnknown(db: Queryable): Promise<void> {
  await sql`do $$ declare name text; begin
    for name in select tablename from pg_tables where schemaname = 'public' loop
      execute format('alter table %I set (autovacuum_enabled = false)', name);
    end loop; end $$`.execute(db);
}

/** Returns the builds that a transaction has read so far, by indexes or by scans. */
async function countBuildsRead(trx: Queryable): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as count
      from pg_stat_xact_user_tables where relname = 'workspace_builds'`.execute(trx);
  return rows[0]?.count ?? 0;
}

it(`claims one of ${waiting} prebuilds without looking at the others`, async () => {
  await using opened = new AsyncDisposableStack();
  const stage = await openStage(inject("postgresUrl"), opened, "external", { instances: waiting });
  await keepUnknown(stage.needs.db);
  const { id: ownerId } = await stage.addUser("ann");
  await fillPool(stage);
  const { presetId } = stage.version;
  await stage.needs.db.transaction().execute(async (trx) => {
    // The statement is planned as in a deployment that has just been started: nothing is known of the tables.
    await sql`set local plan_cache_mode = force_generic_plan`.execute(trx);
    const claim = sqlClaim(trx, { endsAgents: true, waits: false });
    const [workspaceId = ""] = await claim.lockPrebuilds(presetId, { count: 1, except: [] });
    const before = await countBuildsRead(trx);
    const owner = { ownerId, name: "box", settings };
    const claimed = await claim.claimPrebuilds(presetId, [{ workspaceId, owner }]);
    expect(claimed).toEqual(new Set([workspaceId]));
    expect((await countBuildsRead(trx)) - before).toBeLessThan(enough);
  });
});
