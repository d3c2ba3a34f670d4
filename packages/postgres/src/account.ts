import { chmod, stat } from "node:fs/promises";
import { dirname } from "node:path";

import { type Account, ownerOf } from "@slipway/runtime/ownership";

import { EmbeddedPostgresError } from "./errors.ts";
import { systemAccount } from "./system-user.ts";

/** As whom earlier releases ran PostgreSQL where root started them: as a user that everybody else's programs run as too. */
const nobodyUid = 65_534;

export interface ChosenAccount {
  /** Undefined: our own. */
  readonly account: Account | undefined;
  /** Whether the database is to be taken from its owner first. */
  readonly isNewOwner: boolean;
}

/**
 * The account to run PostgreSQL as. It refuses to run as root, so root runs it as a user of its own, or as the owner whom
 * an operator chose. Throws `directory-unreachable` when an ordinary user does not own the database, and `user-missing`.
 */
export async function chooseAccount(clusterDirectory: string): Promise<ChosenAccount> {
  const own = process.getuid?.();
  const owner = await ownerOf(clusterDirectory);
  if (own !== 0) {
    if (owner === undefined || owner.uid === own) return { account: undefined, isNewOwner: false };
    throw new EmbeddedPostgresError(
      "directory-unreachable",
      `${clusterDirectory} belongs to user ${owner.uid}, but this server runs as user ${own}: run it as the user that ran it before, or change the owner`,
    );
  }
  if (owner === undefined) return { account: await systemAccount(), isNewOwner: false };
  // Root's is one that was restored from a copy, say.
  const isNewOwner = owner.uid === 0 || owner.uid === nobodyUid;
  return { account: isNewOwner ? await systemAccount() : owner, isNewOwner };
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
