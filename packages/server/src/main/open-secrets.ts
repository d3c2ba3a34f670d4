import { join } from "node:path";

import { ensureMeshKey } from "../network/relay/mesh-key.ts";
import { findMissingKeys } from "../platform/auth/rotate-secrets.ts";
import { SecretBox } from "../platform/auth/secret-box.ts";
import type { Settings } from "../platform/config/settings.ts";
import type { Database } from "../platform/db/database.ts";
import {
  type DataDirectory,
  makeSecretKey,
  secretKeyName,
  writeSecretKeys,
} from "./data-directory.ts";
import { StartError } from "./start-error.ts";

type KeySettings = Pick<Settings, "secretKeys">;
type KeyDirectory = Pick<DataDirectory, "path" | "secretKeys">;

/**
 * Returns the configured keys of a deployment or, if there are none, those of the data directory. The first server of a
 * deployment generates one. Throws `StartError`, with nothing changed, if secrets in the database need another key: the
 * other servers could not read what this one encrypted.
 */
export async function openSecrets(
  db: Database,
  { secretKeys }: KeySettings,
  directory: KeyDirectory,
): Promise<SecretBox> {
  const keys = chooseKeys(secretKeys ?? directory.secretKeys ?? [makeSecretKey()]);
  const secrets = new SecretBox(keys);
  const hasOwn = secretKeys === undefined && directory.secretKeys !== undefined;
  const source = secretKeys !== undefined ? "configured" : hasOwn ? "file" : "none";
  await requireKeys(db, secrets, { source, path: directory.path });
  if (source === "none") await writeSecretKeys(directory, keys);
  // The first secret of every deployment. Of two first servers with different keys, one fails here.
  await ensureMeshKey(db, secrets);
  await requireKeys(db, secrets, {
    source: source === "none" ? "file" : source,
    path: directory.path,
  });
  return secrets;
}

interface KeySource {
  readonly source: "configured" | "file" | "none";
  /** The data directory. */
  readonly path: string;
}

/** Throws `StartError` if a secret in use needs a key that is not among the given ones. */
export async function requireKeys(
  db: Database,
  secrets: Pick<SecretBox, "prefixes">,
  { source, path }: KeySource,
): Promise<void> {
  const missing = await findMissingKeys(db, secrets);
  if (missing.length === 0) return;
  const file = join(path, secretKeyName);
  const found = {
    configured: "SLIPWAY_SECRET_KEY does not have",
    file: `${file} does not have`,
    none: `this server does not have, because ${file} is missing`,
  }[source];
  const remedy = {
    configured: "add that key to SLIPWAY_SECRET_KEY, behind the others, separated by a comma",
    file: `restore ${file}, or set SLIPWAY_SECRET_KEY to the key of the deployment's other servers`,
    none: "restore that file, or set SLIPWAY_SECRET_KEY to the key of the deployment's other servers",
  }[source];
  const ids = missing.join(", ");
  throw new StartError(
    "secret-key-missing",
    `the database has secrets encrypted with a key (id ${ids}) that ${found}; nothing was changed: ${remedy}. ` +
      "If the key is lost for good, run slipway server rotate-key --discard-unreadable",
  );
}

function chooseKeys([first, ...rest]: readonly string[]): readonly [string, ...string[]] {
  if (first === undefined) throw new TypeError("no secret key given");
  return [first, ...rest];
}
