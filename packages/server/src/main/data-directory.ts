import { randomBytes, randomUUID } from "node:crypto";
import { readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

import { fileFault, StartError } from "./start-error.ts";

/** The directory of one server, held exclusively until it is disposed of. */
export interface DataDirectory extends AsyncDisposable {
  readonly path: string;
  /** The id of this server among the replicas; the same after a restart. */
  readonly replicaId: string;
  /** The directory of unpacked templates; emptied at the start. */
  readonly unpackDir: string;
  /**
   * The encryption keys for secrets if none is configured: the first encrypts, all decrypt. Undefined before the
   * first.
   */
  readonly secretKeys: readonly [string, ...string[]] | undefined;
}

const lockName = "server-lock";
/** The name of the file with the keys. */
export const secretKeyName = "secret-key";

/**
 * Opens and locks the directory, which is created if missing. Throws `StartError` when another server holds it, and
 * when it cannot be created or written.
 */
export async function openDataDirectory(dataDir: string): Promise<DataDirectory> {
  try {
    return await open(dataDir);
  } catch (error) {
    const fault = fileFault(error);
    if (fault === undefined) throw error;
    throw new StartError(
      "data-directory-unusable",
      `cannot use the data directory ${dataDir}: ${fault}; choose another with SLIPWAY_DATA_DIR`,
    );
  }
}

async function open(dataDir: string): Promise<DataDirectory> {
  await makeDirectories(dataDir, 0o700);
  const path = await realpath(dataDir);
  await using opening = new AsyncDisposableStack();
  const lock = await lockFile(join(path, lockName));
  if (lock === undefined) throw inUse(path);
  opening.use(lock);
  const unpackDir = join(path, "templates");
  await rm(unpackDir, { recursive: true, force: true });
  const directory = {
    path,
    unpackDir,
    replicaId: await readOrMake(join(path, "replica-id"), () => randomUUID()),
    secretKeys: parseSecretKeys(await readSecret(join(path, secretKeyName))),
  };
  const held = opening.move();
  return { ...directory, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Generates a key for secrets. */
export function makeSecretKey(): string {
  return randomBytes(32).toString("base64url");
}

/** Replaces the keys in the directory, atomically. */
export async function writeSecretKeys(
  { path }: Pick<DataDirectory, "path">,
  keys: readonly [string, ...string[]],
): Promise<void> {
  await writeSecret(join(path, secretKeyName), keys.join("\n"));
}

/** Parses one key per line, the newest first; there are several while they are being rotated. */
function parseSecretKeys(text = ""): readonly [string, ...string[]] | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const [first, ...rest] = lines.filter((line) => line !== "");
  return first === undefined ? undefined : [first, ...rest];
}

function inUse(path: string): StartError {
  return new StartError(
    "data-directory-in-use",
    `another server uses the data directory ${path}; stop it, or choose another with SLIPWAY_DATA_DIR`,
  );
}

/** Reads a value, or creates it, readable by its owner only. */
async function readOrMake(file: string, make: () => string): Promise<string> {
  const known = await readSecret(file);
  if (known !== undefined) return known;
  const value = make();
  await writeSecret(file, value);
  return value;
}

async function readSecret(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function writeSecret(file: string, text: string): Promise<void> {
  return replaceFile(file, `${text}\n`, { mode: 0o600, isDurable: true });
}

/** SQLite's code for a database that is locked by another process. */
const busy = 5;

/**
 * Locks a file until the lock is disposed of or this process ends in any way; returns undefined if it is already
 * locked. SQLite's lock is the only one of Node.js that the system releases by itself and that requires write
 * permission for the file: any user of the machine can take the name of a socket, and a pid file outlives its process.
 */
export async function lockFile(path: string): Promise<Disposable | undefined> {
  await makeFile(path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("pragma journal_mode = memory; begin exclusive");
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && "errcode" in error && error.errcode === busy) return undefined;
    throw error;
  }
}

/**
 * Creates the file for its owner alone, because anyone who can read it can lock it. An existing file is not opened:
 * closing it again would release a lock of this process (fcntl_locking(2)).
 */
async function makeFile(path: string): Promise<void> {
  try {
    await writeFile(path, "", { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
