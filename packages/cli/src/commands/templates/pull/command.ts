import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag } from "../../../command/flags.ts";
import { templateArgument } from "../arguments.ts";

export const command = defineCommand({
  name: "templates pull",
  summary: "write the files of a template into a directory",
  arguments: {
    template: templateArgument,
    directory: {
      summary: "where to, or with --tar the file; the template's name unless given",
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
      summary: "another version than the active one",
    },
    tar: { kind: "switch", summary: "the tar that was pushed, as one file" },
    force: { kind: "switch", summary: "over files that are there" },
  },
  examples: [
    { line: "slipway templates pull small", summary: "into the directory small" },
    { line: "slipway templates pull small old --version v1", summary: "an older version" },
    { line: "slipway templates pull small --tar", summary: "into small.tar" },
  ],
});
