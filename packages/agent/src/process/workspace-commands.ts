import { stat } from "node:fs/promises";

import { shellWord } from "@slipway/runtime";

import { buildCommand } from "./command.ts";
import { buildEnvironment } from "./environment.ts";
import { loginVariables } from "./login-shell.ts";
import type { PreparedCommand } from "./spawn-group.ts";
import type { User } from "./user.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The workspace as its manifest describes it to commands. */
export interface WorkspaceDescription {
  readonly workspaceName: string;
  readonly agentName: string;
  readonly ownerName: string;
  readonly workspaceId: string;
  /** Expanded; empty if the manifest has none. */
  readonly directory: string;
  readonly vscodeProxyUri: string;
  /** The file with the message of the day, expanded; empty if the manifest has none. */
  readonly motdPath: string;
  readonly environment: Variables;
  /** Values of the owner's secrets by the name of their variable. */
  readonly secrets: Variables;
}

/** The context that all commands of the agent share: its token, user and directories. */
export interface CommandContext {
  readonly token: string;
  readonly user: User;
  readonly environment: Variables;
  readonly binDirectory: string;
  readonly inside: InsideAccess;
}

/** The means by which programs of the workspace reach the server and the agent. */
export interface InsideAccess {
  readonly serverUrl: string;
  /** The path of the agent's socket; undefined for an agent without one. */
  readonly socketPath: string | undefined;
  /** The directory of the agent's own command; undefined if the machine has none. */
  readonly commandDirectory: string | undefined;
}

/** The variables of a single command. */
export interface CommandVariables {
  /** The variables that a client requests; they only fill gaps that the agent leaves. */
  readonly requested?: Variables;
  /** The variables that override everything. */
  readonly extra?: Variables;
}

/** Prepares a command of the workspace from its text. Rejects with `ProcessError` "bad-interpreter". */
export async function prepareCommand(
  text: string,
  context: CommandContext,
  workspace: WorkspaceDescription,
  { requested = {}, extra = {} }: CommandVariables = {},
): Promise<PreparedCommand> {
  const { shell } = context.user;
  const { commandDirectory } = context.inside;
  const environment = buildEnvironment(
    {
      base: baseVariables(context, workspace),
      // Asks the Go runtime of a stock agent to omit stacks; not meant for other programs.
      process: { ...context.environment, GOTRACEBACK: goTraceback(context.environment) },
      requested,
      user: context.user,
      manifest: workspace.environment,
      secrets: workspace.secrets,
      binDirectory: context.binDirectory,
      commandDirectory,
    },
    extra,
  );
  const isLogin = text.trim() === "" && commandDirectory !== undefined;
  return {
    ...buildCommand(shell, text),
    cwd: await workingDirectory(workspace.directory, context.user.home),
    environment: isLogin
      ? { ...environment, ...loginVariables(shell, commandDirectory, environment) }
      : environment,
  };
}

function goTraceback(environment: Variables): string | undefined {
  const value = environment["GOTRACEBACK"];
  return value === "none" ? undefined : value;
}

/**
 * Returns the variables of step 1 of docs/protocol/agent.md §4.2, and the server's URL, which a stock agent passes on
 * only if it came from a variable.
 */
function baseVariables(
  { token, inside: { serverUrl, socketPath, commandDirectory } }: CommandContext,
  workspace: WorkspaceDescription,
): Variables {
  const command = commandDirectory && shellWord(`${commandDirectory}/slipway`);
  return {
    CODER: "true",
    CODER_WORKSPACE_NAME: workspace.workspaceName,
    CODER_WORKSPACE_AGENT_NAME: workspace.agentName,
    CODER_WORKSPACE_OWNER_NAME: workspace.ownerName,
    CODER_WORKSPACE_ID: workspace.workspaceId,
    CODER_AGENT_TOKEN: token,
    CODER_AGENT_URL: serverUrl,
    CODER_AGENT_SOCKET_PATH: socketPath,
    GIT_SSH_COMMAND: command && `${command} gitssh --`,
    CS_DISABLE_GETTING_STARTED_OVERRIDE: "true",
    VSCODE_PROXY_URI: workspace.vscodeProxyUri || undefined,
  };
}

/** Returns the requested directory if it exists, else the home. */
async function workingDirectory(wanted: string, home: string): Promise<string> {
  if (wanted === "") return home;
  try {
    return (await stat(wanted)).isDirectory() ? wanted : home;
  } catch {
    // Absent or out of reach: a start script may create it.
    return home;
  }
}
