import { defineCommand } from "../../../command/definition.ts";
import { needlessYesFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "templates push",
  summary: "make a new version of a template from a directory or a file",
  description:
    "Packs a directory with a slipway.yaml, or one file in its place, and makes it the newest version of a template; " +
    "of a new one, if there is none of that name. .git and node_modules stay out. With --directory the word names " +
    "the template and --name the version, as coder has it.",
  arguments: {
    source: {
      summary: "the directory or the file; here unless given",
      required: false,
      completes: "files",
    },
  },
  flags: {
    yes: needlessYesFlag,
    name: {
      kind: "text",
      value: "name",
      summary: "of the template; that of the directory or file unless given",
    },
    directory: {
      kind: "text",
      short: "d",
      value: "path",
      summary: "the directory or the file, where the word names the template",
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
    { line: "slipway templates push small-box", summary: "as the template small-box" },
    {
      line: 'slipway templates push . --name small -m "more memory"',
      summary: "under another name",
    },
    { line: "slipway templates push small-box --activate=false", summary: "to look at it first" },
  ],
});
