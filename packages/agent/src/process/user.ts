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
 * Returns the current user by its passwd entry; the environment fills the gaps (docs/protocol/agent.md §4.1). Throws
 * `ProcessError` "no-shell" where neither knows a shell.
 */
export function currentUser(
  environment: Readonly<Record<string, string | undefined>>,
  entry: PasswdEntry | undefined = passwdEntry(),
): User {
  const shell = entry?.shell || environment["SHELL"] || undefined;
  if (shell === undefined) {
    throw new ProcessError("no-shell", "the user has no shell in /etc/passwd and SHELL is not set");
  }
  return {
    name: entry?.username ?? environment["USER"] ?? "",
    home: homeDirectory(environment, () => entry?.homedir),
    shell,
  };
}

function passwdEntry(): PasswdEntry | undefined {
  try {
    return userInfo();
  } catch {
    // A container may run under a uid that no passwd file knows.
    return undefined;
  }
}
