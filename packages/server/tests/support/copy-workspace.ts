import { sql } from "kysely";

import type { Database } from "../../src/platform/db/database.ts";

/**
 * Copies a workspace with its builds, jobs, resources and agents `count` times, for tests that need more of them than
 * requests create in a short time. Every id of a copy derives from that of the original and the number of the copy.
 */
export async function copyWorkspace(db: Database, id: string, count: number): Promise<void> {
  const ofJobs = sql`job_id in (select id from jobs where workspace_id = ${id})`;
  await db.transaction().execute(async (trx) => {
    await copy("workspaces", sql`id = ${id}`, ["id"], sql`'name', name || '-' || n`);
    await copy("jobs", sql`workspace_id = ${id}`, ["id", "workspace_id"]);
    await copy("workspace_builds", sql`workspace_id = ${id}`, ["id", "workspace_id", "job_id"]);
    await copy("workspace_resources", ofJobs, ["id", "job_id"]);
    await copy(
      "workspace_agents",
      sql`workspace_build_id in (select id from workspace_builds where ${ofJobs})`,
      ["id", "resource_id", "workspace_build_id"],
      sql`'auth_token_hash', sha256(auth_token_hash || int4send(n))`,
    );

    async function copy(
      table: string,
      which: ReturnType<typeof sql>,
      ids: readonly string[],
      more = sql`'n', n`,
    ): Promise<void> {
      const fresh = ids.map(
        (name) => sql`${sql.lit(name)}, md5(${sql.ref(name)}::text || n)::uuid`,
      );
      await sql`
        insert into ${sql.table(table)}
        select (jsonb_populate_record(
          null::${sql.table(table)},
          to_jsonb(original) || jsonb_build_object(${sql.join(fresh)}, ${more}))).*
        from ${sql.table(table)} as original, generate_series(1, ${sql.lit(count)}) as n
        where ${which}`.execute(trx);
    }
  });
}
