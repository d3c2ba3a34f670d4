import { execFile } from "node:child_process";
import { chmod, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

import { errorText, systemErrorCode } from "@slipway/runtime";
import { type Account, ownerOf } from "@slipway/runtime/ownership";

import { EmbeddedPostgresError } from "./errors.ts";

/** The user that ran PostgreSQL in earlier releases when started by root; other programs run as it too. */
const nobodyUid = 65_534;

export interface AccountChoice {
  /** Undefined for our own account. */
  readonly account: Account | undefined;
  /** True if ownership of the database must be transferred first. */
  readonly isNewOwner: boolean;
}

/**
 * Chooses the account to run PostgreSQL as. PostgreSQL refuses to run as root, so root runs it as a dedicated user,
 * or as the owner that an operator chose. Throws `directory-unreachable` if an ordinary user does not own the
 * database, and `user-missing`.
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
  // Root may own a database restored from a copy.
  const isNewOwner = owner.uid === 0 || owner.uid === nobodyUid;
  return { account: isNewOwner ? await systemAccount() : owner, isNewOwner };
}

/**
 * Lets the account traverse our own data directory, and checks that it can reach it at all. Throws
 * `directory-unreachable` with the name of the blocking directory.
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

/**
 * The user that root runs PostgreSQL as, and nothing else, because every process of that user controls the database.
 */
const systemUserName = "slipway-postgres";

const run = promisify(execFile);
const options = { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } };

/** A command line that creates a user, without the user's name at its end. */
type UserCommand = readonly [string, ...string[]];

/** Commands for most Linux systems and for minimal ones. */
const userCommands: readonly UserCommand[] = [
  [
    "useradd",
    "--system",
    "--user-group",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
  ],
  ["adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/sbin/nologin"],
];

/** Returns the account of PostgreSQL's own user, creating it if it is missing. Throws `user-missing`. */
export async function systemAccount(
  name: string = systemUserName,
  commands: readonly UserCommand[] = userCommands,
): Promise<Account> {
  const found = await findAccount(name);
  if (found !== undefined) return found;
  const problem = await createUser(name, commands);
  // Another server may have created it meanwhile.
  const created = await findAccount(name);
  if (created !== undefined) return created;
  throw new EmbeddedPostgresError(
    "user-missing",
    `the embedded PostgreSQL of a server that runs as root needs the user ${name}, which does not exist and cannot be created (${problem}): create it with "useradd --system ${name}", run the server as an ordinary user, or set SLIPWAY_POSTGRES_URL to an external database`,
  );
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(["-u", "-g"].map((option) => idOf(option, name)));
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  } catch (error) {
    // `id` exits with 1 if the user does not exist.
    if (error instanceof Error && "code" in error && error.code === 1) return undefined;
    throw error;
  }
}

async function idOf(option: string, name: string): Promise<number> {
  const { stdout } = await run("id", [option, name], options);
  return Number(stdout);
}

/** Creates the user; resolves to the last error, empty on success. */
async function createUser(name: string, commands: readonly UserCommand[]): Promise<string> {
  let problem = "";
  for (const [program, ...args] of commands) {
    try {
      await run(program, [...args, name], options);
      return "";
    } catch (error) {
      problem = systemErrorCode(error) === "ENOENT" ? `no ${program}` : errorText(error).trim();
    }
  }
  return problem;
}
