import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "templates push",
  summary: "make a new version of a template from a directory or a file",
  description:
    "Packs a directory with a slipway.yaml, or one file in its place, and makes it the newest version of a template; " +
    "of a new one, if there is none of that name. .git and node_modules stay out. Without --directory the files are " +
    "those of the present directory, or of the one that has the template's name. A path in the place of the name " +
    "says both: ./small-box is the template small-box.",
  arguments: {
    template: {
      summary:
        "name of the template, or path of its directory or file (default: the directory's name)",
      required: false,
      completes: "files",
    },
  },
  flags: {
    yes: needlessYesFlag,
    name: {
      kind: "text",
      value: "name",
      summary: "name of the version (default: one is made up)",
    },
    directory: {
      kind: "text",
      short: "d",
      value: "path",
      summary: "directory or file with the template (default: the present directory)",
      completes: "files",
    },
    message: { kind: "text", short: "m", value: "text", summary: "what is new in this version" },
    activate: {
      kind: "boolean",
      fallback: true,
      summary: "make it the version that workspaces are made from",
    },
  },
  examples: [
    { line: "slipway templates push", summary: "from the template's own directory" },
    { line: "slipway templates push small-box", summary: "from there, or from the one above it" },
    {
      line: 'slipway templates push small -d ./small-box --name v2 -m "more memory"',
      summary: "the template small, version v2",
    },
    { line: "slipway templates push small-box --activate=false", summary: "to look at it first" },
  ],
});
