import { sql } from "kysely";
import { Migrator } from "kysely/migration";

import type { Database } from "./database.ts";
import { DatabaseError } from "./errors.ts";
import { migrations } from "./migrations/migrations.ts";

/** PostgreSQL 15, in the form of `server_version_num`. */
const oldestVersion = 150_000;

/**
 * Migrates the schema to the latest version. Any number of replicas may call it at the same time: one runs, under an
 * advisory lock that Kysely's migrator takes. Resolves to the names of the applied migrations. Throws `DatabaseError`.
 */
export async function migrate(db: Database): Promise<readonly string[]> {
  await requireVersion(db);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    await refuseNewer(db);
    const failed = results.find((result) => result.status === "Error")?.migrationName ?? "unknown";
    throw new DatabaseError("migration-failed", `migration ${failed} failed`, { cause: error });
  }
  return results.map((result) => result.migrationName);
}

/** Throws if the database has migrations of a newer release, which the migrator would report as missing. */
async function refuseNewer(db: Database): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select name from kysely_migration where name <> all(${Object.keys(migrations)}) order by name`
    .execute(db)
    // The migrator's own error is more specific.
    .catch(() => ({ rows: [] }));
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(", ");
  throw new DatabaseError(
    "too-new",
    `the database was migrated by a newer release of Slipway (${names}); ` +
      "run that release or a newer one, or restore a backup from before the upgrade",
  );
}

async function requireVersion(db: Database): Promise<void> {
  const { rows } = await sql<{
    version: string;
  }>`select current_setting('server_version_num') as version`
    .execute(db)
    .catch((error: unknown) => {
      throw new DatabaseError("unreachable", "cannot reach PostgreSQL", { cause: error });
    });
  const version = Number(rows[0]?.version);
  if (version < oldestVersion) {
    throw new DatabaseError("too-old", `PostgreSQL 15 or later is needed, found ${version}`);
  }
}
