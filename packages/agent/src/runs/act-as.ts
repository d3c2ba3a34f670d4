import { readFile } from "node:fs/promises";

import { buildCommand } from "../process/command.ts";
import type { PreparedCommand } from "../process/spawn-group.ts";
import { runError } from "./errors.ts";

/** A user of the machine. */
interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/**
 * Returns the command as another user runs it: in their home and with their shell. Only an agent that is root may act as
 * others. Throws `ApiError`.
 */
export async function actAs(
  user: string,
  text: string,
  own: PreparedCommand,
  requested: Readonly<Record<string, string>>,
): Promise<PreparedCommand> {
  const entry = await findUser(user);
  const uid = process.getuid?.();
  if (entry?.uid === uid || user === own.environment["USER"]) return own;
  if (uid !== 0) {
    const detail = "only an agent that runs as root can";
    throw runError("user-not-allowed", "The agent cannot act as another user.", detail);
  }
  if (entry === undefined) {
    throw runError("user-not-allowed", "There is no such user in the workspace.");
  }
  const { name, gid, home, shell } = entry;
  return {
    ...buildCommand(shell, text),
    cwd: home,
    environment: {
      ...own.environment,
      HOME: home,
      USER: name,
      LOGNAME: name,
      SHELL: shell,
      ...requested,
    },
    identity: { uid: entry.uid, gid },
  };
}

/** Finds a user by name or number; undefined if there is none. */
async function findUser(user: string): Promise<PasswdEntry | undefined> {
  const text = await readFile("/etc/passwd", "utf8").catch(() => "");
  const entries = text.split("\n").map(parseEntry);
  return (
    entries.find((entry) => entry?.name === user) ??
    entries.find((entry) => String(entry?.uid) === user)
  );
}

function parseEntry(line: string): PasswdEntry | undefined {
  const [name, , uid, gid, , home, shell] = line.split(":");
  if (name === undefined || !isNumber(uid) || !isNumber(gid)) return undefined;
  return {
    name,
    uid: Number(uid),
    gid: Number(gid),
    home: home || "/",
    shell: shell || "/bin/sh",
  };
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text);
}
