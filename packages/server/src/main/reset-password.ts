import { realpath } from "node:fs/promises";

import { findEmbeddedPostgres, hasEmbeddedPostgres, openEmbeddedPostgres } from "@slipway/postgres";
import { type Logger, systemClock } from "@slipway/runtime";

import { resetPassword } from "../features/users/password-service.ts";
import { readSettings, type Settings } from "../platform/config/settings.ts";
import { type DatabaseAddress, openDatabase } from "../platform/db/database.ts";
import { openDataDirectory } from "./data-directory.ts";
import { type GivenSettings, settingSource } from "./given-settings.ts";
import { createLogger } from "./logger.ts";
import { explainStartError, StartError } from "./start-error.ts";

export interface ResetPasswordOptions extends GivenSettings {
  /** The user, by username or email (default: the oldest owner). */
  readonly user: string | undefined;
  /** The new password; generated and printed if undefined. */
  readonly password: string | undefined;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Resets a user's password directly in the database, even while servers run, for anyone who can read their data
 * directory or knows the address of their PostgreSQL. Resolves to the exit code.
 */
export async function runResetPassword(options: ResetPasswordOptions): Promise<number> {
  return explainStartError(() => resetInDatabase(options), options.stderr);
}

async function resetInDatabase(options: ResetPasswordOptions): Promise<number> {
  const { stdout, stderr, signal } = options;
  const settings = readSettings(settingSource(options), false);
  const logger = createLogger({ level: "warn", format: settings.log.format }, false);
  await using opened = new AsyncDisposableStack();
  const address = await findAddress(settings, opened, { logger, signal });
  const db = opened.adopt(openDatabase(address, logger), (database) => database.destroy());
  const reset = await resetPassword(db, options.user, options.password);
  const { username, email, generated, replaced, isSuspended } = reset;
  if (generated !== undefined) stdout(`${generated}\n`);
  stderr(
    generated === undefined
      ? `password of ${username} changed; log in as ${email}\n`
      : `that is the new password of ${username}, shown this once; log in as ${email}\n`,
  );
  if (replaced !== undefined) {
    stderr(
      `${username} logged in at a login provider (${replaced}); that login no longer works, only the password does\n`,
    );
  }
  stderr(`all sessions and tokens of ${username} are revoked\n`);
  if (isSuspended) stderr(`${username} is suspended: slipway users activate ${username}\n`);
  return 0;
}

/**
 * Returns the address of the configured PostgreSQL, or of the embedded one: a running server's, or one opened for the
 * purpose.
 */
async function findAddress(
  { postgresUrl, dataDir }: Settings,
  opened: AsyncDisposableStack,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<DatabaseAddress> {
  if (postgresUrl !== undefined) return { url: postgresUrl };
  if (!(await hasEmbeddedPostgres(dataDir))) {
    throw new StartError(
      "no-database",
      `there is no database in ${dataDir}; name the server's by SLIPWAY_DATA_DIR or SLIPWAY_POSTGRES_URL`,
    );
  }
  try {
    opened.use(await openDataDirectory(dataDir));
  } catch (error) {
    if (!(error instanceof StartError && error.code === "data-directory-in-use")) throw error;
    const running = await findEmbeddedPostgres(await realpath(dataDir));
    if (running !== undefined) return running;
    throw new StartError(
      "no-database",
      `the server that uses ${dataDir} is starting or stopping: try again in a moment`,
    );
  }
  const options = { dataDir, logger, clock: systemClock, signal };
  return opened.use(await openEmbeddedPostgres(options)).connection;
}
