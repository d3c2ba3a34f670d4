import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { systemErrorCode } from "@slipway/runtime";

import { defineCommand, type OptionsOf } from "../../../command/definition.ts";
import { CommandError } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { packageDirectory } from "../../../config/package-directory.ts";
import { templateFileName } from "../../../resources/templates/template-file.ts";

export const command = defineCommand({
  summary: "write a starter template to a directory",
  arguments: {
    directory: {
      summary: "target directory (default: the current directory)",
      required: false,
      completion: "files",
    },
  },
  flags: {},
  examples: [{ line: "slipway templates init small-box", summary: "write small-box/slipway.yaml" }],
});

/** The starter template: an example of the repository, as it stands. */
const starter = new URL("../../examples/demo.slipway.yaml", packageDirectory);

export async function run(
  { directory = "." }: OptionsOf<typeof command>,
  { terminal }: Pick<Needs, "terminal">,
): Promise<number> {
  const path = join(directory, templateFileName);
  const text = await readFile(starter, "utf8");
  await mkdir(directory, { recursive: true });
  try {
    await writeFile(path, text, { flag: "wx" });
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    throw new CommandError(`${path} already exists and was not changed`, {
      hint: `push it with: slipway templates push ${directory}`,
    });
  }
  terminal.err.line(`wrote ${path}`);
  terminal.err.line(`edit it, then push it with: slipway templates push ${directory}`);
  return exitCodes.ok;
}
