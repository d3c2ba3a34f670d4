import { writeFile } from "node:fs/promises";

import { getBuildState } from "@slipway/api/builds/routes";
import { systemErrorCode } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { chooseBuild } from "../../resources/builds/choose-build.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "download the Terraform state of a workspace",
  description:
    "Download the Terraform state of a workspace. It may hold secrets, so the file is readable to you only. Requires the " +
    "owner or template admin role.",
  arguments: {
    workspace: workspaceArgument,
    file: { summary: "target file (default: stdout)", required: false, completion: "files" },
  },
  flags: {
    buildNumber: {
      kind: "integer",
      aliases: ["build"],
      value: "number",
      short: "b",
      summary:
        "build to take it from; a negative one counts back from the newest (default: the newest)",
    },
    force: { kind: "switch", summary: "overwrite an existing file" },
  },
  examples: [
    { line: "slipway state pull demo", summary: "to stdout" },
    { line: "slipway state pull demo demo.tfstate -b -1", summary: "of the build before" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const build = await chooseBuild(client, workspace, options.buildNumber, signal);
  const params = { build: build.id };
  const state = await client.download(getBuildState, { params, signal });
  if (state.length === 0) {
    throw new CommandError(`build ${build.build_number} of ${fullName(workspace)} has no state`, {
      exitCode: exitCodes.notFound,
    });
  }
  if (options.file === undefined) {
    terminal.out.write(Buffer.from(state).toString());
    return exitCodes.ok;
  }
  await writeNew(options.file, state, options.force);
  terminal.err.line(`wrote ${options.file}`);
  return exitCodes.ok;
}

async function writeNew(path: string, bytes: Uint8Array, overwrite: boolean): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: overwrite ? "w" : "wx", mode: 0o600 });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw new CommandError(`${path} already exists and was not changed`, {
      hint: "overwrite it with --force",
    });
  }
}
