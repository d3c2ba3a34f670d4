import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag } from "../../../command/flags.ts";
import { templateArgument } from "../../../resources/templates/arguments.ts";

export const command = defineCommand({
  summary: "download a template's files to a directory",
  arguments: {
    template: templateArgument,
    directory: {
      summary: "target directory, or file with --tar (default: the template's name)",
      required: false,
      completes: "files",
    },
  },
  flags: {
    yes: needlessYesFlag,
    version: {
      kind: "text",
      value: "name",
      completes: "version",
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
