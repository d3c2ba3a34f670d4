import { lstat, rm, writeFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { createGzip } from "node:zlib";

import type { WorkspaceAgent } from "@slipway/api/agents/agent";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { countText, systemErrorCode } from "@slipway/runtime";
import { pack } from "tar-stream";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag, yesFlag } from "../../command/flags.ts";
import type { ClientNeeds, Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { allAgents } from "../../resources/builds/agents.ts";
import { chooseAgent } from "../../resources/network/agent-reference.ts";
import { findWorkspace } from "../../resources/workspaces/workspace-reference.ts";
import { Progress } from "../../terminal/progress.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { Bundle, type BundleFile } from "./bundle/bundle.ts";
import { collectServer } from "./bundle/collect-server.ts";
import { collectAgent, collectWorkspace } from "./bundle/collect-workspace.ts";
import { secretHider } from "./bundle/secret-text.ts";

export const command = defineCommand({
  summary: "write an archive with everything that a supporter needs, without secrets",
  description:
    "Write a tar.gz archive with everything that a supporter needs: versions, settings and health of the server, your " +
    "user, the network of this machine, and of a workspace its builds, logs, connections and agents. It has what you " +
    "may read yourself, and notes what you may not. Tokens, values of variables and parameters, scripts and commands " +
    "are left out. Logs have what programs printed: what looks like a secret is removed from them, but read them " +
    "before you pass them on.",
  arguments: {
    workspace: {
      summary: "name, owner/name or id of a workspace (default: only the server and this machine)",
      required: false,
      completion: "workspace",
    },
    agent: { summary: "only this agent of the workspace (default: all agents)", required: false },
  },
  flags: {
    outputFile: {
      kind: "text",
      short: "O",
      value: "file",
      completion: "files",
      summary: "file to write (default: slipway-support-<time>.tar.gz)",
    },
    yes: yesFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway support bundle demo", summary: "about your workspace demo" },
    {
      line: "slipway support bundle demo main -y",
      summary: "only agent main, without confirmation",
    },
    {
      line: "slipway support bundle --output-file support.tar.gz",
      summary: "about the server alone",
    },
  ],
});

/** The maximum number of agents of a workspace to query. */
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
  // Addresses have no credentials: those are not stored.
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
interface BundleSubject {
  readonly own: readonly string[];
  readonly serverUrl: string;
  readonly workspace: Workspace | undefined;
  readonly agents: readonly WorkspaceAgent[];
}

async function collectAll(
  bundle: Bundle,
  { own, serverUrl, workspace, agents }: BundleSubject,
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
  // An inaccessible path is reported when it is written.
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function defaultPath(now: number): string {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(":", "-");
  return `slipway-support-${time}Z.tar.gz`;
}

/** The directory of all files in the archive. */
const archiveFolder = "slipway-support";

/** Writes files as a tar.gz that only its owner can read. Throws `CommandError` if the path exists. */
async function writeArchive(path: string, files: readonly BundleFile[]): Promise<void> {
  const archive = await archiveOf(files);
  try {
    await writeFile(path, archive, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") throw existing(path);
    // The part written before the disk was full is useless.
    if (systemErrorCode(error) === "ENOSPC") await rm(path, { force: true });
    throw error;
  }
}

/** Returns the error for a path that exists. */
function existing(path: string): CommandError {
  return new CommandError(`${path} already exists and was not changed`, {
    hint: "name another file with --output-file",
  });
}

async function archiveOf(files: readonly BundleFile[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, text } of files)
    tar.entry({ name: `${archiveFolder}/${name}`, mode: 0o600 }, text);
  tar.finalize();
  return buffer(tar.pipe(createGzip()));
}
