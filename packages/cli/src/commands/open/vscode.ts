import { posix, win32 } from "node:path";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import { createKey, deleteKey } from "@slipway/api/users/key-routes";
import { type EditorPlace, editorUrl } from "@slipway/api/workspaces/editor-url";
import { errorText } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { ClientNeeds, Needs } from "../../command/needs.ts";
import { LossNotice } from "../../command/patient-read.ts";
import { pollAgent } from "../../resources/builds/agent-start.ts";
import {
  agentArgument,
  chooseAgent,
  readAgentReference,
} from "../../resources/network/agent-reference.ts";
import { disableAutostartFlag } from "../../resources/network/network-flags.ts";
import { runningWorkspace } from "../../resources/network/running-workspace.ts";
import { waitForAgent } from "../../resources/network/wait-for-agent.ts";
import { fullName } from "../../resources/workspaces/workspace-reference.ts";
import type { Output } from "../../terminal/output.ts";
import { Progress } from "../../terminal/progress.ts";

export const command = defineCommand({
  summary: "open a workspace in VS Code",
  description:
    "Open a directory of a workspace in VS Code or an editor made from it, with the extension Coder Remote. The editor " +
    "gets its own token. A stopped workspace is started. Where there is no editor, the URL is printed, without a " +
    "token unless you ask for one.",
  arguments: {
    workspace: agentArgument,
    directory: {
      summary: "directory in the workspace (default: that of the agent)",
      required: false,
    },
  },
  flags: {
    editor: {
      kind: "choice",
      choices: ["vscode", "vscode-insiders", "vscodium", "cursor", "windsurf"],
      summary: "editor to open",
    },
    generateToken: {
      kind: "switch",
      variable: "CODER_OPEN_VSCODE_GENERATE_TOKEN",
      summary: "print the URL with a new token",
    },
    noOpen: { kind: "switch", summary: "only print the URL" },
    disableAutostart: disableAutostartFlag,
  },
  examples: [
    { line: "slipway open vscode demo", summary: "the directory of its agent" },
    { line: "slipway open vscode ada/demo.main src/site", summary: "a directory below it" },
    {
      line: "slipway open vscode demo --no-open --generate-token",
      summary: "a URL for another machine; it contains a token",
    },
  ],
});

type Options = OptionsOf<typeof command>;
type RunNeeds = Pick<Needs, "terminal" | "settings" | "clock" | "opener" | "signal">;

export async function run(
  options: Options,
  { terminal, settings, clock, opener, signal }: RunNeeds,
): Promise<number> {
  const needs = { client: connect(settings), terminal, clock, signal };
  const place = await findPlace(options, settings.url ?? "", needs);
  const obstacle = options.noOpen ? undefined : opener.obstacle;
  if (options.noOpen || obstacle !== undefined) {
    const key = options.generateToken ? await createEditorKey(needs.client, signal) : undefined;
    terminal.out.line(editorUrl(options.editor, place, key));
    if (obstacle !== undefined) {
      terminal.err.line(`not opened: ${obstacle}; open the URL on your own machine`);
    }
    return exitCodes.ok;
  }
  return openEditor(options, place, opener, needs);
}

/** Finds the place to open; waits for the agent to connect. */
async function findPlace(
  { workspace: text, directory, disableAutostart }: Options,
  url: string,
  needs: ClientNeeds,
): Promise<EditorPlace> {
  const reference = readAgentReference(text);
  const autostart = !disableAutostart;
  const workspace = await runningWorkspace(reference.workspace, { autostart }, needs);
  const chosen = chooseAgent(workspace, reference.agent);
  await waitForAgent(workspace, chosen, "no", needs);
  const agent = await startedAgent(chosen, needs);
  const folder = remoteDirectory(agent, directory);
  return {
    url,
    owner: workspace.owner_name,
    workspace: workspace.name,
    agent: agent.name,
    ...(folder === undefined ? {} : { folder }),
  };
}

/** Waits until an agent with a directory has started: only then does it report the directory. */
async function startedAgent(agent: WorkspaceAgent, needs: ClientNeeds): Promise<WorkspaceAgent> {
  const { err } = needs.terminal;
  using progress = new Progress(err, needs.clock);
  const notice = new LossNotice(err, needs.clock, progress);
  const wait = ({ name, directory, lifecycle_state }: WorkspaceAgent): string | undefined =>
    (directory ?? "") !== "" && lifecycle_state === "created"
      ? `waiting for agent ${name} to start`
      : undefined;
  return await pollAgent(agent, wait, needs, { progress, notice });
}

/** Opens the editor with its own token, which is removed again if that fails. */
async function openEditor(
  { editor, generateToken }: Options,
  place: EditorPlace,
  opener: Needs["opener"],
  { client, terminal, signal }: ClientNeeds,
): Promise<number> {
  const { out, err } = terminal;
  const key = await createEditorKey(client, signal);
  try {
    await opener.open({ kind: "editor", href: editorUrl(editor, place, key) }, signal);
  } catch (error) {
    if (!generateToken) await removeEditorKey(client, key, err);
    out.line(editorUrl(editor, place, generateToken ? key : undefined));
    throw error;
  }
  const { owner, workspace, agent, folder } = place;
  const name = `${fullName({ owner_name: owner, name: workspace })}.${agent}`;
  err.line(err.colors.green(`opened ${name}${folder === undefined ? "" : `:${folder}`}`));
  return exitCodes.ok;
}

/**
 * Returns the directory that an editor opens: the agent's, or `wanted`, relative to the agent's if it is a relative
 * path. Undefined if there is neither. Throws `UsageError` for a path that only a shell understands, and for a
 * relative one without a base.
 */
export function remoteDirectory(
  {
    expanded_directory: base,
    operating_system,
  }: Pick<WorkspaceAgent, "expanded_directory" | "operating_system">,
  wanted: string | undefined,
): string | undefined {
  if (wanted === undefined || wanted === "") return base;
  if (wanted === "~" || /^~[/\\]/.test(wanted)) {
    throw new UsageError(`"${wanted}" is not opened: wanted a path without ~`);
  }
  const path = operating_system === "windows" ? win32 : posix;
  if (path.isAbsolute(wanted)) return path.normalize(wanted);
  if (base !== undefined) return path.join(base, wanted);
  throw new UsageError(
    `"${wanted}" is relative, and the agent has no directory: wanted an absolute path`,
  );
}

/** The maximum wait for the removal of a key, in milliseconds. */
const removalMs = 5_000;

/** Creates a key for an editor. */
async function createEditorKey(client: ApiClient, signal: AbortSignal): Promise<string> {
  return (await client.call(createKey, { params: { user: "me" }, signal })).key;
}

/** Removes a key that no editor received, even if the command is interrupted; reports a failure. */
async function removeEditorKey(client: ApiClient, key: string, err: Output): Promise<void> {
  const [id = ""] = key.split("-");
  try {
    const signal = AbortSignal.timeout(removalMs);
    await client.call(deleteKey, { params: { user: "me", key: id }, signal });
  } catch (error) {
    err.line(err.colors.yellow(`the editor's token ${id} was not removed: ${errorText(error)}`));
  }
}
