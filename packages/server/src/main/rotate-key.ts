import { openEmbeddedPostgres } from "@slipway/postgres";
import { type Logger, systemClock } from "@slipway/runtime";

import {
  type RotationOptions,
  rotateSecrets,
  type RotationProgress,
} from "../platform/auth/rotate-secrets.ts";
import { SecretBox } from "../platform/auth/secret-box.ts";
import { readSettings, type Settings } from "../platform/config/settings.ts";
import { type Database, type DatabaseAddress, openDatabase } from "../platform/db/database.ts";
import { migrate } from "../platform/db/migrate.ts";
import {
  type DataDirectory,
  makeSecretKey,
  openDataDirectory,
  writeSecretKeys,
} from "./data-directory.ts";
import { type GivenSettings, settingSource } from "./given-settings.ts";
import { createLogger } from "./logger.ts";
import { requireKeys } from "./open-secrets.ts";
import { explainStartError } from "./start-error.ts";

export interface RotateKeyOptions extends RotationOptions, GivenSettings {
  readonly stderr: (text: string) => void;
  /** Ends the rotation after the current batch; a later call resumes it. */
  readonly signal: AbortSignal;
}

/**
 * Re-encrypts every secret in the database with the newest key: the first configured one, or a new one in the data
 * directory, which keeps the old key until nothing needs it. Resolves to the exit code.
 */
export async function runRotateKey(options: RotateKeyOptions): Promise<number> {
  return explainStartError(() => rotate(options), options.stderr);
}

async function rotate(options: RotateKeyOptions): Promise<number> {
  const { discardsUnreadable, stderr, signal } = options;
  const settings = readSettings(settingSource(options), false);
  const logger = createLogger({ level: "warn", format: settings.log.format }, false);
  await using opened = new AsyncDisposableStack();
  const directory = needsDirectory(settings)
    ? opened.use(await openDataDirectory(settings.dataDir))
    : undefined;
  const address = await openPostgres(settings, opened, { directory, logger, signal });
  const db = opened.adopt(openDatabase(address, logger), (database) => database.destroy());
  await migrate(db);

  const keys = await newestKeys(settings, directory, async (made) => {
    const place = { source: "none", path: settings.dataDir } as const;
    if (!discardsUnreadable) await requireKeys(db, new SecretBox([made]), place);
  });
  const unreadable = await rotateAll(db, new SecretBox(keys), options);
  if (unreadable > 0 && !discardsUnreadable) {
    stderr(
      `error: ${unreadable} secrets were sealed with a key that is not known here; add it to SLIPWAY_SECRET_KEY, behind the others\n`,
    );
    return 1;
  }
  if (unreadable > 0) {
    stderr(`${unreadable} secrets that could not be decrypted were discarded\n`);
  }
  if (settings.secretKeys !== undefined) {
    stderr("every secret is sealed with the first key of SLIPWAY_SECRET_KEY; drop the others\n");
    return 0;
  }
  if (directory !== undefined) await writeSecretKeys(directory, [keys[0]]);
  stderr("every secret is sealed with the new key; the one before is gone\n");
  return 0;
}

/**
 * Returns whether the data directory is needed: servers may keep running if neither their database nor their key is in
 * it.
 */
function needsDirectory(settings: Settings): boolean {
  return settings.postgresUrl === undefined || settings.secretKeys === undefined;
}

interface PostgresNeeds {
  readonly directory: DataDirectory | undefined;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function openPostgres(
  settings: Settings,
  opened: AsyncDisposableStack,
  { directory, logger, signal }: PostgresNeeds,
): Promise<DatabaseAddress> {
  if (settings.postgresUrl !== undefined || directory === undefined) {
    return { url: settings.postgresUrl ?? "" };
  }
  const options = { dataDir: directory.path, logger, clock: systemClock, signal };
  return opened.use(await openEmbeddedPostgres(options)).connection;
}

/**
 * Returns the configured keys, or those of the directory after a new one, unless their rotation was interrupted.
 * `check` runs before a new key becomes the only one.
 */
async function newestKeys(
  settings: Settings,
  directory: DataDirectory | undefined,
  check: (key: string) => Promise<void>,
): Promise<readonly [string, ...string[]]> {
  const [first, ...rest] = settings.secretKeys ?? directory?.secretKeys ?? [];
  if (first !== undefined && (directory === undefined || rest.length > 0)) return [first, ...rest];
  if (first !== undefined && settings.secretKeys !== undefined) return [first, ...rest];
  if (directory === undefined) throw new TypeError("neither a secret key nor a directory given");
  const made = makeSecretKey();
  if (first === undefined) await check(made);
  const keys = [made, ...(first === undefined ? [] : [first])] as const;
  await writeSecretKeys(directory, keys);
  return keys;
}

/** Re-encrypts all secrets; resolves to the number of those that could not be decrypted. */
async function rotateAll(
  db: Database,
  secrets: SecretBox,
  { discardsUnreadable, stderr, signal }: RotateKeyOptions,
): Promise<number> {
  const tables = new Map<string, RotationProgress>();
  for await (const progress of rotateSecrets(db, secrets, { discardsUnreadable }, signal)) {
    const before = tables.get(progress.table)?.rotated;
    tables.set(progress.table, progress);
    if (progress.rotated !== before) stderr(`${progress.table}: ${progress.rotated} secrets\n`);
  }
  return tables.values().reduce((sum, { unreadable }) => sum + unreadable, 0);
}
