import { chmod, lchown, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { EmbeddedPostgresError, systemErrorCode } from "./errors.ts";

/** The user that PostgreSQL runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** "nobody": what there is on every machine besides root. */
const nobody: Account = { uid: 65534, gid: 65534 };

/**
 * The account to run PostgreSQL as, or undefined for our own. PostgreSQL refuses to run as root, so root runs it as the
 * owner of its directory, or as nobody. Throws `directory-unreachable` when an ordinary user does not own it.
 */
export async function chooseAccount(clusterDirectory: string): Promise<Account | undefined> {
  const own = process.getuid?.();
  const owner = await ownerOf(clusterDirectory);
  if (own !== 0) {
    if (owner === undefined || owner.uid === own) return undefined;
    throw new EmbeddedPostgresError(
      "directory-unreachable",
      `${clusterDirectory} belongs to user ${owner.uid}, but this server runs as user ${own}: run it as the user that ran it before, or change the owner`,
    );
  }
  if (owner === undefined) return nobody;
  if (owner.uid !== 0) return owner;
  // Restored from a copy, say.
  await giveTree(clusterDirectory, nobody);
  return nobody;
}

/**
 * Sees to it that the account can get to our own data directory, and that it can get to that one at all. Throws
 * `directory-unreachable` with the name of the directory that is in the way.
 */
export async function openPathFor(account: Account, dataDirectory: string): Promise<void> {
  for (let path = dataDirectory; ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      if (path !== dataDirectory) {
        throw new EmbeddedPostgresError(
          "directory-unreachable",
          `user ${account.uid}, as whom root runs PostgreSQL, cannot pass through ${path} (mode ${(mode & 0o7777).toString(8)}) to ${dataDirectory}: set SLIPWAY_DATA_DIR to a directory elsewhere, such as /var/lib/slipway, or chmod o+x ${path}`,
        );
      }
      // Passing through shows nothing: what is secret in it has modes of its own.
      await chmod(path, (mode & 0o7777) | bit);
    }
    if (path === dirname(path)) return;
  }
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function giveTree(root: string, { uid, gid }: Account): Promise<void> {
  for (const path of await readdir(root, { recursive: true }))
    await lchown(join(root, path), uid, gid);
  await lchown(root, uid, gid);
}
