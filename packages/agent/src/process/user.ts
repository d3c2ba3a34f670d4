import { accessSync, constants } from "node:fs";
import { userInfo } from "node:os";

import { homeDirectory } from "@slipway/runtime/home-directory";

import { ProcessError } from "./errors.ts";

/** The user that the agent runs as. */
export interface User {
  readonly name: string;
  readonly home: string;
  /** The login shell. */
  readonly shell: string;
}

interface PasswdEntry {
  readonly username: string;
  readonly homedir: string;
  readonly shell: string | null;
}

/**
 * Returns the current user from the passwd entry. The environment fills the gaps (docs/protocol/agent.md §4.1), and
 * `/bin/sh` is the default shell, as in a container without a passwd entry. Throws `ProcessError` "no-shell" if there
 * is none.
 */
export function currentUser(
  environment: Readonly<Record<string, string | undefined>>,
  entry: PasswdEntry | undefined = passwdEntry(),
  standardShell = "/bin/sh",
): User {
  const shell = entry?.shell || environment["SHELL"] || standardShell;
  if (shell === standardShell && !isProgram(shell)) {
    const text = `the user has no shell in /etc/passwd, SHELL is not set, and there is no ${shell}`;
    throw new ProcessError("no-shell", text);
  }
  return {
    name: entry?.username ?? environment["USER"] ?? "",
    home: homeDirectory(environment, () => entry?.homedir),
    shell,
  };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function passwdEntry(): PasswdEntry | undefined {
  try {
    return userInfo();
  } catch {
    // A container may run under a uid without a passwd entry.
    return undefined;
  }
}
