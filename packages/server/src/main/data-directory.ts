import { randomBytes, randomUUID } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";
import { makeDirectories } from "@slipway/runtime/make-directories";
import { replaceFile } from "@slipway/runtime/replace-file";

import { lockFile } from "./directory-lock.ts";
import { StartError } from "./errors.ts";
import { fileFault } from "./file-fault.ts";

/** The directory of one server, held exclusively until it is disposed of. */
export interface DataDirectory extends AsyncDisposable {
  readonly path: string;
  /** The id of this server among the replicas; the same after a restart. */
  readonly replicaId: string;
  /** The encryption keys for secrets if none is configured: the first encrypts, all decrypt. Undefined before the first. */
  readonly secretKeys: readonly [string, ...string[]] | undefined;
}

const lockName = "server-lock";
/** The name of the file with the keys. */
export const secretKeyName = "secret-key";

/**
 * Opens and locks the directory, which is created if missing. Throws `StartError` when another server holds it, and when
 * it cannot be created or written.
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
  const directory = {
    path,
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
