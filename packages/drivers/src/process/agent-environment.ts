import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

import type { Account } from "@slipway/runtime/ownership";

import type { DriverAgent } from "../driver-build.ts";
import { markVariables } from "./running-process.ts";
import { workspacePaths } from "./workspace-directory.ts";

/** The variables of the server's environment that agents inherit. The rest may hold secrets and is withheld. */
export interface InheritedVariables {
  readonly path: string;
  readonly lang: string;
}

export const defaultInheritedVariables: InheritedVariables = {
  path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  lang: "C.UTF-8",
};

export interface EnvironmentOptions {
  readonly inherited: InheritedVariables;
  /** Undefined for the server's own user. */
  readonly user: Account | undefined;
  /** The directory of programs that a machine may lack. */
  readonly programsDir: string;
}

/**
 * Returns the complete environment of an agent (docs/protocol/agent.md §1), including the marks that identify its
 * processes.
 */
export function agentEnvironment(
  agent: DriverAgent,
  accessUrl: string,
  directory: string,
  { inherited, user, programsDir }: EnvironmentOptions,
): Readonly<Record<string, string>> {
  const paths = workspacePaths(directory);
  const { username, shell } = user === undefined ? ownUser() : namelessUser(user);
  return {
    HOME: paths.home,
    USER: username,
    LOGNAME: username,
    SHELL: shell,
    PATH: `${inherited.path}:${programsDir}`,
    LANG: inherited.lang,
    TMPDIR: paths.tmp,
    CODER_AGENT_URL: accessUrl,
    [markVariables.token]: agent.token,
    CODER_AGENT_LOG_DIR: join(paths.log, agent.name),
    CODER_AGENT_SCRIPT_DATA_DIR: join(paths.scriptData, agent.name),
    ...socketVariables(join(paths.sockets, `${agent.name}.sock`)),
    // The dev containers of the server's machine do not belong to the workspace.
    CODER_AGENT_DEVCONTAINERS_ENABLE: "false",
    // The default ports would clash between workspaces; empty disables them.
    CODER_AGENT_PPROF_ADDRESS: "",
    CODER_AGENT_PROMETHEUS_ADDRESS: "",
    CODER_AGENT_DEBUG_ADDRESS: "",
    [markVariables.agentId]: agent.id,
    [markVariables.directory]: directory,
  };
}

/** `sun_path` holds 104 bytes on macOS, 108 on Linux, with the final zero. */
const maxSocketPathBytes = 103;

/** Replaces the default socket path, which the whole machine shares (docs/protocol/agent.md §10). */
function socketVariables(path: string): Record<string, string> {
  return Buffer.byteLength(path) <= maxSocketPathBytes
    ? { CODER_AGENT_SOCKET_PATH: path }
    : { CODER_AGENT_SOCKET_SERVER_ENABLED: "false" };
}

interface LoginUser {
  readonly username: string;
  readonly shell: string;
}

/** Returns the login user for a uid that has no passwd entry. */
function namelessUser({ uid }: Account): LoginUser {
  const shell = existsSync("/bin/bash") ? "/bin/bash" : "/bin/sh";
  return { username: `workspace-${uid}`, shell };
}

function ownUser(): LoginUser {
  try {
    const { username, shell } = userInfo();
    return { username, shell: shell ?? "/bin/sh" };
  } catch {
    // A container's user may have no name.
    return { username: String(process.getuid?.() ?? ""), shell: "/bin/sh" };
  }
}
