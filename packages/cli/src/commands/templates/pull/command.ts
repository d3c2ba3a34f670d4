import { writeFile } from "node:fs/promises";

import { getFile, getTemplateVersion } from "@slipway/api";
import { systemErrorCode } from "@slipway/runtime";

import { connect } from "../../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { CommandError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../../command/flags.ts";
import type { Needs } from "../../../command/needs.ts";
import { findTemplate, findVersion } from "../../../resources/templates/find-template.ts";
import { templateArgument } from "../../../resources/templates/template-arguments.ts";
import { unpack } from "./unpack.ts";

export const command = defineCommand({
  summary: "download a template's files to a directory",
  arguments: {
    template: templateArgument,
    directory: {
      summary: "target directory, or file with --tar (default: the template's name)",
      required: false,
      completion: "files",
    },
  },
  flags: {
    yes: ignoredYesFlag,
    version: {
      kind: "text",
      value: "name",
      completion: "version",
      summary: "template version (default: the active version)",
    },
    tar: { kind: "switch", summary: "write the pushed tar as a single file" },
    force: { kind: "switch", summary: "overwrite existing files" },
  },
  examples: [
    { line: "slipway templates pull small", summary: "into the directory small" },
    { line: "slipway templates pull small old --version v1", summary: "an older version" },
    { line: "slipway templates pull small --tar", summary: "into small.tar" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const { err } = terminal;
  const template = await findTemplate(client, options.template, { settings, signal });
  const version =
    options.version === undefined
      ? await client.call(getTemplateVersion, {
          params: { version: template.active_version_id },
          signal,
        })
      : await findVersion(client, template, options.version, signal);
  const tar = await client.download(getFile, { params: { file: version.job.file_id }, signal });
  if (options.tar) {
    const path = options.directory ?? `${options.template}.tar`;
    await writeTar(path, tar, options.force || options.yes);
    err.line(`wrote ${path}`);
    return exitCodes.ok;
  }
  // A name of the answer is no place to write to.
  const directory = options.directory ?? options.template;
  const { names, leftOut } = await unpack(tar, directory, {
    overwrite: options.force || options.yes,
  });
  for (const name of leftOut)
    err.line(`warning: ${name} is no regular file of a template and was skipped`);
  for (const name of names) err.line(`wrote ${directory}/${name}`);
  err.line(`this is version ${version.name} of ${template.name}`);
  return exitCodes.ok;
}

async function writeTar(path: string, tar: Uint8Array, overwrite: boolean): Promise<void> {
  try {
    await writeFile(path, tar, { flag: overwrite ? "w" : "wx" });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw new CommandError(`${path} already exists and was not changed`, {
      hint: "overwrite it with --force",
    });
  }
}
