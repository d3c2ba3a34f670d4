import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { errorText, systemErrorCode } from "@slipway/runtime";
import type { Account } from "@slipway/runtime/ownership";

import { EmbeddedPostgresError } from "./errors.ts";

/**
 * The user that root runs PostgreSQL as, and nothing else, because every process of that user controls the database.
 */
const systemUserName = "slipway-postgres";

const run = promisify(execFile);
const options = { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" } };

/** A program and its arguments, without the user's name. */
type Maker = readonly [string, ...string[]];

/** Commands that create such a user, on most Linux systems and on small ones. */
const usualMakers: readonly Maker[] = [
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

/** Returns the account of PostgreSQL's own user, which is created if it is missing. Throws `user-missing`. */
export async function systemAccount(
  name: string = systemUserName,
  makers: readonly Maker[] = usualMakers,
): Promise<Account> {
  const found = await findAccount(name);
  if (found !== undefined) return found;
  const problem = await makeUser(name, makers);
  // Another server may have created it meanwhile.
  const made = await findAccount(name);
  if (made !== undefined) return made;
  throw new EmbeddedPostgresError(
    "user-missing",
    `root runs the embedded PostgreSQL as user ${name}, whom this machine does not have, and who cannot be made (${problem}): make it with "useradd --system ${name}", run the server as an ordinary user, or give a database with SLIPWAY_POSTGRES_URL`,
  );
}

async function findAccount(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(["-u", "-g"].map((option) => idOf(option, name)));
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  } catch (error) {
    // `id` exits with 1 if there is no such user.
    if (error instanceof Error && "code" in error && error.code === 1) return undefined;
    throw error;
  }
}

async function idOf(option: string, name: string): Promise<number> {
  const { stdout } = await run("id", [option, name], options);
  return Number(stdout);
}

/** Creates the user; resolves to the last error, empty on success. */
async function makeUser(name: string, makers: readonly Maker[]): Promise<string> {
  let problem = "";
  for (const [program, ...args] of makers) {
    try {
      await run(program, [...args, name], options);
      return "";
    } catch (error) {
      problem = systemErrorCode(error) === "ENOENT" ? `no ${program}` : errorText(error).trim();
    }
  }
  return problem;
}
