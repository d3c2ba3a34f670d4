import { countText, systemClock } from "@slipway/runtime";

import { readSettings } from "../platform/config/settings.ts";
import { openDatabase } from "../platform/db/database.ts";
import { migrate } from "../platform/db/migrate.ts";
import { waitForDatabase } from "../platform/db/wait-for-database.ts";
import { type GivenSettings, settingSource } from "./given-settings.ts";
import { createLogger } from "./logger.ts";
import { explainStartError, StartError } from "./start-error.ts";

export interface MigrateDatabaseOptions extends GivenSettings {
  readonly stderr: (text: string) => void;
  /** Ends the wait for a database that does not answer. */
  readonly signal: AbortSignal;
}

/**
 * Migrates the PostgreSQL that servers share, under the lock that their starts take too. Waits for one that does not answer.
 * Resolves to the exit code.
 */
export async function runMigrateDatabase(options: MigrateDatabaseOptions): Promise<number> {
  return explainStartError(() => migrateDatabase(options), options.stderr);
}

async function migrateDatabase(options: MigrateDatabaseOptions): Promise<number> {
  const { stderr, signal } = options;
  const settings = readSettings(settingSource(options), false);
  const { postgresUrl: url } = settings;
  if (url === undefined) {
    throw new StartError(
      "no-database",
      "no PostgreSQL to migrate: set SLIPWAY_POSTGRES_URL; a server migrates its built-in one when it starts",
    );
  }
  const logger = createLogger({ level: "warn", format: settings.log.format }, false);
  await using opened = new AsyncDisposableStack();
  const db = opened.adopt(openDatabase({ url }, logger), (database) => database.destroy());
  await waitForDatabase(db, { clock: systemClock, logger, signal });
  const applied = await migrate(db);
  stderr(
    applied.length === 0
      ? "the database is up to date\n"
      : `applied ${countText(applied.length, "migration")}: ${applied.join(", ")}\n`,
  );
  return 0;
}
