import { spawn } from "node:child_process";
import { chown, mkdir, readFile, readdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

import { errorText, systemErrorCode } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import type { Binaries } from "./binaries.ts";
import { EmbeddedPostgresError } from "./errors.ts";
import { exists, removeUnfinished, unfinishedName } from "./runtime-copy.ts";
import { adminUser, cleanEnvironment } from "./settings.ts";

/** Returns the directory of the database of that major version. */
export function clusterDirectoryOf(dataDirectory: string, majorVersion: number): string {
  return join(dataDirectory, `postgres-${majorVersion}`);
}

/** Throws `version-mismatch` if the data belong to another major version. Changes nothing. */
export async function requireVersion(
  dataDirectory: string,
  { majorVersion }: Binaries,
): Promise<void> {
  const directory = clusterDirectoryOf(dataDirectory, majorVersion);
  const found = await versionIn(directory);
  const others = await versionsIn(dataDirectory);
  const newest = Math.max(...others, 0);
  // After an upgrade the older directory may remain as a backup; a newer one means that this program is too old.
  const mismatch =
    found === undefined
      ? newest || undefined
      : found !== majorVersion
        ? found
        : newest > found
          ? newest
          : undefined;
  if (mismatch === undefined || mismatch === majorVersion) return;
  throw new EmbeddedPostgresError(
    "version-mismatch",
    `the database in ${dataDirectory} is of PostgreSQL ${mismatch}, but this release includes ${majorVersion}; nothing was changed: run the release that includes ${mismatch}, and move the data to a new data directory with pg_dump and psql`,
  );
}

/**
 * Creates an empty database at `directory`, unless there is one; returns whether it did. The directory gets its name
 * only once it is complete. Nothing is synced to disk: the caller does that afterwards (`syncCluster`). Throws
 * `init-failed`.
 */
export async function createCluster(
  initdb: string,
  directory: string,
  account: Account | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  await removeUnfinished(directory);
  if (await exists(directory)) return false;
  const unfinished = unfinishedName(directory);
  await mkdir(unfinished, { mode: 0o700 });
  if (account !== undefined) await chown(unfinished, account.uid, account.gid);
  await runInitdb(initdb, ["-D", unfinished, ...initOptions], account, signal);
  await rename(unfinished, directory);
  return true;
}

/**
 * Syncs a new database, and the new copy of the binaries beside it, to disk. Runs while the server is up: until it is
 * done (seconds), a power failure may leave a database that must be created again.
 */
export async function syncCluster(
  initdb: string,
  directory: string,
  account: Account | undefined,
  signal: AbortSignal,
): Promise<void> {
  // `syncfs` syncs the whole file system, with the binaries and the directory entries.
  const method = process.platform === "linux" ? ["--sync-method=syncfs"] : [];
  await runInitdb(initdb, ["--sync-only", ...method, "-D", directory], account, signal);
}

const initOptions = [
  `--username=${adminUser}`,
  "--locale-provider=builtin",
  "--locale=C.UTF-8",
  "--encoding=UTF8",
  "--auth-local=trust",
  "--auth-host=reject",
  "--no-sync",
  "--no-instructions",
];

const maxOutputBytes = 4096;

async function runInitdb(
  initdb: string,
  args: readonly string[],
  account: Account | undefined,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(initdb, args, {
    cwd: dirname(initdb),
    env: cleanEnvironment,
    stdio: ["ignore", "pipe", "pipe"],
    ...account,
  });
  const kill = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-maxOutputBytes);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<number | NodeJS.Signals | null>();
    child.once("error", reject);
    child.once("close", (code, signalName) => resolve(code ?? signalName));
    const result = await promise;
    signal.throwIfAborted();
    if (result !== 0) throw new Error(`ended with ${result}: ${output.trim()}`);
  } catch (error) {
    signal.throwIfAborted();
    throw initError(initdb, error);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function initError(initdb: string, error: unknown): EmbeddedPostgresError {
  const reason = errorText(error);
  return new EmbeddedPostgresError("init-failed", `${initdb} ${reason}${initHint(error, reason)}`, {
    cause: error,
  });
}

function initHint(error: unknown, reason: string): string {
  // The file exists: the missing file is the loader of the C library.
  if (systemErrorCode(error) === "ENOENT") {
    return " (the binaries need glibc: on Alpine and similar systems, set SLIPWAY_POSTGRES_URL to an external database)";
  }
  if (reason.includes("user does not exist")) {
    return " (add this user to /etc/passwd, or set SLIPWAY_POSTGRES_URL to an external database)";
  }
  return "";
}

async function versionIn(clusterDirectory: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(join(clusterDirectory, "PG_VERSION"), "utf8"), 10);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function versionsIn(dataDirectory: string): Promise<number[]> {
  const names = await readdir(dataDirectory);
  return names.flatMap((name) => {
    const version = /^postgres-(\d+)$/.exec(name)?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}
