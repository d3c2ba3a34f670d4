import { countText, printableLine } from "@slipway/runtime";

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
import { downloadFile, downloadToStdout, downloadTree } from "./cp/download.ts";
import { isLocal, type Place, readPlace, type RemotePlace } from "./cp/place.ts";
import { sizeText } from "./cp/size-text.ts";
import { TransferProgress } from "./cp/transfer-progress.ts";
import { uploadFile, uploadStdin, uploadTree } from "./cp/upload.ts";

export const command = defineCommand({
  summary: "copy files to and from a workspace",
  description:
    "Copy a file, or a directory with --recursive, from this machine to a workspace or back. A place in a workspace is " +
    "workspace:path; a path that is not absolute begins in the home directory there. - is standard input or output. " +
    "A large file whose copy broke off is continued by the same command. A stopped workspace is started.",
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
    { line: "slipway cp notes.txt demo:", summary: "into the home directory of the workspace" },
    { line: "slipway cp -r demo:project ./project", summary: "a directory from there" },
    { line: "slipway cp demo:/var/log/app.log -", summary: "to standard output" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const [source, destination] = [readPlace(options.source), readPlace(options.destination)];
  const remote = remoteOf(source, destination);
  const client = connect(settings);
  const needs: ClientNeeds = { client, terminal, clock, signal };
  const agentId = await openAgentOf(remote, !options.disableAutostart, needs);
  const { Files } = await import("@slipway/sdk/files");
  using progress = new TransferProgress(terminal.err, clock);
  const copyNeeds: CopyNeeds = { files: new Files(client, agentId), terminal, progress, signal };
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
  const target = destination.kind === "remote" ? destination.path : "~";
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

function shown(place: Place): string {
  if (place.kind === "stream") return "standard output";
  return printableLine(place.kind === "remote" ? `${place.agent}:${place.path}` : place.path);
}
