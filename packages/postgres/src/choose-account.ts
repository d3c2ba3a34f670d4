import { chmod, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { type Account, ownerOf } from "@slipway/runtime/ownership";

import { EmbeddedPostgresError } from "./errors.ts";
import { systemAccount } from "./system-user.ts";

/** The user as which earlier releases ran PostgreSQL when started by root; other programs run as it too. */
const nobodyUid = 65_534;

export interface AccountChoice {
  /** Undefined for our own account. */
  readonly account: Account | undefined;
  /** True if ownership of the database must be transferred first. */
  readonly isNewOwner: boolean;
}

/**
 * Chooses the account to run PostgreSQL as. It refuses to run as root, so root runs it as a dedicated user, or as the
 * owner that an operator chose. Throws `directory-unreachable` when an ordinary user does not own the database, and
 * `user-missing`.
 */
export async function chooseAccount(clusterDirectory: string): Promise<AccountChoice> {
  const own = process.getuid?.();
  const owner = await ownerOf(clusterDirectory);
  if (own !== 0) {
    if (owner === undefined || owner.uid === own) return { account: undefined, isNewOwner: false };
    throw new EmbeddedPostgresError(
      "directory-unreachable",
      `${clusterDirectory} belongs to user ${owner.uid}, but this server runs as user ${own}: run the server as the user that ran it before, or change the owner`,
    );
  }
  if (owner === undefined) return { account: await systemAccount(), isNewOwner: false };
  // Root owns one that was restored from a copy, say.
  const isNewOwner = owner.uid === 0 || owner.uid === nobodyUid;
  return { account: isNewOwner ? await systemAccount() : owner, isNewOwner };
}

/**
 * Lets the account traverse our own data directory, and checks that it can reach it at all. Throws
 * `directory-unreachable` with the name of the directory that is in the way.
 */
export async function allowAccess(account: Account, dataDirectory: string): Promise<void> {
  for (let path = dataDirectory; ; path = dirname(path)) {
    const { mode, uid, gid } = await stat(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      if (path !== dataDirectory) {
        throw new EmbeddedPostgresError(
          "directory-unreachable",
          `user ${account.uid}, which runs PostgreSQL for root, cannot traverse ${path} (mode ${(mode & 0o7777).toString(8)}) to reach ${dataDirectory}: set SLIPWAY_DATA_DIR to a directory elsewhere, such as /var/lib/slipway, or chmod o+x ${path}`,
        );
      }
      // Traversal reveals nothing: secrets inside have their own modes.
      await chmod(path, (mode & 0o7777) | bit);
    }
    if (path === dirname(path)) return;
  }
}
