import { defineCommand } from "../../../command/definition.ts";
import { ignoredYesFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "push a new version of a template from a directory or file",
  description:
    "Pack a directory with a slipway.yaml, or a single file in its place, and push it as the newest version of a " +
    "template, which is created if it does not exist. The template is checked before it is uploaded. .git and " +
    "node_modules are excluded. Without --directory, slipway uses the directory with the template's name, or the " +
    "current one. A path in place of the name gives both: ./small-box is the template small-box.",
  aliases: ["create"],
  arguments: {
    template: {
      summary:
        "name of the template, or path to its directory or file (default: the directory's name)",
      required: false,
      completion: "files",
    },
  },
  flags: {
    yes: ignoredYesFlag,
    name: {
      kind: "text",
      value: "name",
      summary: "name of the version (default: a generated name)",
    },
    directory: {
      kind: "text",
      short: "d",
      value: "path",
      summary: "directory or file of the template (default: the current directory)",
      completion: "files",
    },
    message: {
      kind: "text",
      short: "m",
      value: "text",
      summary: "description of this version's changes",
    },
    variable: {
      kind: "list",
      value: "name=value",
      summary: "refused: templates have parameters instead",
      hidden: true,
    },
    variablesFile: {
      kind: "text",
      value: "path",
      summary: "refused: templates have parameters instead",
      hidden: true,
    },
    activate: {
      kind: "boolean",
      defaultValue: true,
      summary: "make it the active version",
    },
  },
  examples: [
    { line: "slipway templates push", summary: "from the template's own directory" },
    { line: "slipway templates push small-box", summary: "from its parent, or that directory" },
    {
      line: 'slipway templates push small -d ./small-box --name v2 -m "more memory"',
      summary: "the template small, version v2",
    },
    { line: "slipway templates push small-box --activate=false", summary: "without activating it" },
  ],
});
