import { readFile } from "node:fs/promises";

import { updateBuildState } from "@slipway/api/builds/routes";
import { errorText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { beginBuild } from "../../resources/builds/begin-build.ts";
import { chooseBuild } from "../../resources/builds/choose-build.ts";
import { settledWorkspace, waitForBuild } from "../../resources/builds/wait-for-build.ts";
import { fullName, workspaceArgument } from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "replace the Terraform state of a workspace, and build it",
  description:
    "Replace the Terraform state of a workspace, and build it again with the same version and transition. A state of other " +
    "infrastructure, or older than that of the workspace, is refused without --force. Requires the owner role.",
  arguments: {
    workspace: workspaceArgument,
    file: { summary: "file to push", required: true, completion: "files" },
  },
  flags: {
    // `--build` itself would share its value with `--no-build`.
    buildNumber: {
      kind: "integer",
      aliases: ["build"],
      value: "number",
      short: "b",
      summary: "build that must be the newest, as a check (default: the newest)",
    },
    noBuild: { kind: "switch", short: "n", summary: "replace the state without a build" },
    force: { kind: "switch", summary: "also push an older state, or one of other infrastructure" },
  },
  examples: [
    { line: "slipway state push demo demo.tfstate", summary: "and apply the template to it" },
    { line: "slipway state push demo demo.tfstate --no-build", summary: "for the next build" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const needs = { client, terminal, clock, signal };
  const bytes = await readFile(options.file).catch((error: unknown) => {
    throw new CommandError(`cannot read ${options.file}: ${errorText(error)}`);
  });
  const workspace = await settledWorkspace(options.workspace, needs);
  const build = await chooseBuild(client, workspace, options.buildNumber, signal);
  await client.call(updateBuildState, {
    params: { build: build.id },
    query: options.force ? { force: "true" } : {},
    body: { state: bytes.toString("base64") },
    signal,
  });
  terminal.err.line(`pushed ${options.file} to ${fullName(workspace)}`);
  if (options.noBuild) return exitCodes.ok;
  const { transition, template_version_id } = build;
  const request = { transition, template_version_id };
  await waitForBuild(await beginBuild(workspace, request, needs), needs);
  terminal.err.line(`${fullName(workspace)} is built from the pushed state`);
  return exitCodes.ok;
}
