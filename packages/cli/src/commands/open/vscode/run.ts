import type { WorkspaceAgent } from "@slipway/api";

import type { ClientNeeds } from "../../../command/client-needs.ts";
import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import { LossNotice } from "../../../command/loss-notice.ts";
import type { Needs } from "../../../command/needs.ts";
import { pollAgent } from "../../../resources/builds/agent-start.ts";
import { readAgentReference } from "../../../resources/network/agent-reference.ts";
import { chooseAgent } from "../../../resources/network/choose-agent.ts";
import { runningWorkspace } from "../../../resources/network/running-workspace.ts";
import { waitForAgent } from "../../../resources/network/wait-for-agent.ts";
import { fullName } from "../../../resources/workspaces/workspace-reference.ts";
import { Progress } from "../../../terminal/progress.ts";
import type { command } from "./command.ts";
import { createEditorKey, removeEditorKey } from "./editor-key.ts";
import { type EditorPlace, editorUrl } from "./editor-url.ts";
import { remoteDirectory } from "./remote-directory.ts";

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

/** Finds what to open; waits for the agent to connect. */
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

/** Waits until an agent with a directory has started: only then it reports where the directory is. */
async function startedAgent(agent: WorkspaceAgent, needs: ClientNeeds): Promise<WorkspaceAgent> {
  const { err } = needs.terminal;
  using progress = new Progress(err, needs.clock);
  const notice = new LossNotice((text) => progress.line(err.colors.yellow(text)), needs.clock);
  const wait = ({ name, directory, lifecycle_state }: WorkspaceAgent): string | undefined =>
    (directory ?? "") !== "" && lifecycle_state === "created"
      ? `waiting for agent ${name} to start`
      : undefined;
  return await pollAgent(agent, wait, needs, { progress, notice });
}

/** Opens the editor with a token of its own, which is removed again if that fails. */
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
