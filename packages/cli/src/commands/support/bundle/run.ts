import { lstat } from "node:fs/promises";

import type { Workspace, WorkspaceAgent } from "@slipway/api";
import { countText } from "@slipway/runtime";

import type { ClientNeeds } from "../../../command/client-needs.ts";
import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { CommandError, UsageError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { printJson } from "../../../command/print-json.ts";
import { allAgents } from "../../../resources/builds/agents.ts";
import { chooseAgent } from "../../../resources/network/choose-agent.ts";
import { findWorkspace } from "../../../resources/workspaces/workspace-reference.ts";
import { Progress } from "../../../terminal/progress.ts";
import type { Terminal } from "../../../terminal/terminal.ts";
import { Bundle } from "./bundle.ts";
import { collectAgent } from "./collect-agent.ts";
import { collectServer } from "./collect-server.ts";
import { collectWorkspace } from "./collect-workspace.ts";
import type { command } from "./command.ts";
import { secretHider } from "./secret-text.ts";
import { existing, writeArchive } from "./write-archive.ts";

/** The most agents of a workspace that are asked. */
const maxAgents = 8;

type Options = OptionsOf<typeof command>;

export async function run(
  options: Options,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const needs = { client: connect(settings), terminal, clock, signal };
  const path = options.outputFile ?? defaultPath(clock.now());
  if (await isTaken(path)) throw existing(path);
  const workspace =
    options.workspace === undefined
      ? undefined
      : await findWorkspace(needs.client, options.workspace, signal);
  const agents = workspace === undefined ? [] : chosenAgents(workspace, options.agent);
  if (!options.yes) await confirm(path, terminal);
  // An address has no credentials: they are not stored.
  const own = [settings.token ?? "", ...Object.values(settings.headers)];
  const bundle = new Bundle(secretHider(own), needs);
  await collectAll(bundle, { own, serverUrl: settings.url ?? "", workspace, agents }, needs);
  const missing = {
    name: "missing.json",
    text: `${JSON.stringify(bundle.missing, undefined, 2)}\n`,
  };
  await writeArchive(path, [...bundle.files, missing]);
  if (options.output === "json") {
    const files = [...bundle.files, missing].map(({ name }) => name);
    printJson(terminal.out, { path, files, missing: bundle.missing });
    return exitCodes.ok;
  }
  for (const { part, problem } of bundle.missing) terminal.err.line(`without ${part}: ${problem}`);
  terminal.err.line(`wrote ${countText(bundle.files.length + 1, "file")} to ${path}`);
  terminal.err.line("it has logs of your programs: read them before you pass it on");
  return exitCodes.ok;
}

/** The subject of a bundle, and the secrets of this command itself. */
interface Subject {
  readonly own: readonly string[];
  readonly serverUrl: string;
  readonly workspace: Workspace | undefined;
  readonly agents: readonly WorkspaceAgent[];
}

async function collectAll(
  bundle: Bundle,
  { own, serverUrl, workspace, agents }: Subject,
  needs: ClientNeeds,
): Promise<void> {
  using progress = new Progress(needs.terminal.err, needs.clock);
  progress.waitFor("collecting");
  await collectServer(bundle, serverUrl, needs);
  if (workspace === undefined) return;
  await collectWorkspace(bundle, { workspace, agents, secrets: own }, needs);
  progress.waitFor(undefined);
  for (const agent of agents) await collectAgent(bundle, workspace, agent, needs);
}

function chosenAgents(workspace: Workspace, name: string | undefined): WorkspaceAgent[] {
  if (name !== undefined) return [chooseAgent(workspace, name)];
  return allAgents(workspace.latest_build).slice(0, maxAgents);
}

async function confirm(path: string, { interactive, prompts }: Terminal): Promise<void> {
  if (!interactive) throw new UsageError("not a terminal: pass --yes to confirm");
  const question = `Write logs and settings, without secrets, to ${path}?`;
  if (!(await prompts.confirm(question))) throw new CommandError("nothing was written");
}

async function isTaken(path: string): Promise<boolean> {
  // What is inaccessible is reported when it is written.
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function defaultPath(now: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(":", "-");
  return `slipway-support-${time}Z.tar.gz`;
}
