import { getAgent } from "@slipway/api/agents/routes";
import { countText, printableLine } from "@slipway/runtime";
import type { Files } from "@slipway/sdk/files";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { UsageError } from "../command/errors.ts";
import { exitCodes } from "../command/exit-codes.ts";
import type { ClientNeeds, Needs } from "../command/needs.ts";
import { chooseAgent, readAgentReference } from "../resources/network/agent-reference.ts";
import { disableAutostartFlag } from "../resources/network/network-flags.ts";
import { runningWorkspace } from "../resources/network/running-workspace.ts";
import { waitForAgent } from "../resources/network/wait-for-agent.ts";
import { type CopyNeeds, type CopyOptions, type Totals } from "./cp/copy.ts";
import { downloadTree } from "./cp/download-tree.ts";
import { downloadFile, downloadToStdout } from "./cp/download.ts";
import { isLocal, isRelative, type Place, readPlace, type RemotePlace } from "./cp/place.ts";
import { sizeText } from "./cp/size-text.ts";
import { TransferProgress } from "./cp/transfer-progress.ts";
import { uploadTree } from "./cp/upload-tree.ts";
import { uploadFile, uploadStdin } from "./cp/upload.ts";

const home = "~";

export const command = defineCommand({
  summary: "copy files to and from a workspace",
  description:
    "Copy a file, or a directory with --recursive, from this machine to a workspace or back. A place in a workspace is " +
    "workspace:path; a path that is not absolute begins in the agent's directory there, as with exec and ssh, and in " +
    "the home directory after ~/. - is standard input or output. " +
    "A copy of a large file or of a directory that broke off is continued by the same command. A stopped workspace is " +
    "started.",
  arguments: {
    source: { summary: "path, or [owner/]workspace[.agent]:path", required: true },
    destination: { summary: "path, or [owner/]workspace[.agent]:path", required: true },
  },
  flags: {
    recursive: { kind: "switch", short: "r", summary: "copy directories with all that is in them" },
    preserve: { kind: "switch", short: "p", summary: "keep modes and modification times" },
    disableAutostart: disableAutostartFlag,
  },
  examples: [
    { line: "slipway cp notes.txt demo:", summary: "into the directory of the agent" },
    { line: "slipway cp -r demo:project ./project", summary: "a directory from there" },
    { line: "slipway cp demo:/var/log/app.log -", summary: "to standard output" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const places = [readPlace(options.source), readPlace(options.destination)] as const;
  const remote = remoteOf(...places);
  const client = connect(settings);
  const needs: ClientNeeds = { client, terminal, clock, signal };
  const agentId = await openAgentOf(remote, !options.disableAutostart, needs);
  const { Files: FilesOf } = await import("@slipway/sdk/files");
  const files = new FilesOf(client, agentId);
  const path = await absolutePath(remote, { agentId, files, client, signal });
  const [source, destination] = [at(places[0], path), at(places[1], path)];
  using progress = new TransferProgress(terminal.err, clock);
  const copyNeeds: CopyNeeds = { files, terminal, progress, signal };
  const copied = await copy(source, destination, options, copyNeeds);
  progress.end();
  const what = countText(copied.files, "file");
  terminal.err.line(`copied ${what}, ${sizeText(copied.bytes)}, to ${shown(destination)}`);
  return exitCodes.ok;
}

function copy(
  source: Place,
  destination: Place,
  options: CopyOptions,
  needs: CopyNeeds,
): Promise<Totals> {
  if (source.kind === "remote") {
    if (destination.kind === "stream") return downloadToStdout(source.path, needs);
    const target = isLocal(destination) ? destination.path : ".";
    return options.recursive
      ? downloadTree(source.path, target, options, needs)
      : downloadFile(source.path, target, options, needs);
  }
  const target = destination.kind === "remote" ? destination.path : home;
  if (source.kind === "stream") return uploadStdin(target, needs);
  return options.recursive
    ? uploadTree(source.path, target, options, needs)
    : uploadFile(source.path, target, options, needs);
}

/** Returns the only place in a workspace. Throws `UsageError` for none and for two. */
function remoteOf(source: Place, destination: Place): RemotePlace {
  const remotes = [source, destination].filter((place) => place.kind === "remote");
  const [remote] = remotes;
  if (remote !== undefined && remotes.length === 1) return remote;
  throw new UsageError(
    remotes.length === 0
      ? "neither path is in a workspace: write it as workspace:path"
      : "both paths are in workspaces: copy to this machine first",
  );
}

/** Finds the agent of a place, starts its workspace if necessary, and waits until it is connected. */
async function openAgentOf(
  { agent }: RemotePlace,
  autostart: boolean,
  needs: ClientNeeds,
): Promise<string> {
  const reference = readAgentReference(agent);
  const workspace = await runningWorkspace(reference.workspace, { autostart }, needs);
  const found = chooseAgent(workspace, reference.agent);
  await waitForAgent(workspace, found, "no", needs);
  return found.id;
}

interface PathNeeds {
  readonly agentId: string;
  readonly files: Files;
  readonly client: ApiClient;
  readonly signal: AbortSignal;
}

/** Returns the path of a place from the root or the home directory of its workspace. */
async function absolutePath({ path }: RemotePlace, needs: PathNeeds): Promise<string> {
  if (!isRelative(path)) return path;
  const directory = await workingDirectory(needs);
  return path === "" ? directory : `${directory}/${path}`;
}

/** Returns the directory in which the commands of an agent start: that of its template, or the home where there is none. */
async function workingDirectory({ agentId, files, client, signal }: PathNeeds): Promise<string> {
  const params = { agent: agentId };
  const { expanded_directory: directory = "" } = await client.call(getAgent, { params, signal });
  if (directory === "") return home;
  try {
    const { type } = await files.stat(directory, { signal });
    return type === "directory" ? directory : home;
  } catch (error) {
    // It is absent or out of reach: a start script may create it.
    if (error instanceof ApiError && error.status < 500) return home;
    throw error;
  }
}

function at(place: Place, path: string): Place {
  return place.kind === "remote" ? { ...place, path } : place;
}

function shown(place: Place): string {
  if (place.kind === "stream") return "standard output";
  return printableLine(place.kind === "remote" ? `${place.agent}:${place.path}` : place.path);
}
