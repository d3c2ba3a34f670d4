import { defineCommand } from "../command/definition.ts";
import { ignoredYesFlag, noWaitFlag, outputFlag } from "../command/flags.ts";
import {
  alwaysPromptFlag,
  parameterFlags,
  promptEphemeralFlag,
} from "../resources/templates/given-values.ts";

export const command = defineCommand({
  summary: "create a workspace and start it",
  description:
    "Create a workspace and follow its start until it is ready. On a terminal, slipway prompts for the template " +
    "if there are several, for a preset if the template has any, and for parameters without a value; Enter " +
    "accepts the default. If a prebuild of the preset is waiting, it becomes the workspace, which is faster.",
  arguments: {
    name: {
      summary: "name of the workspace, or owner/name for another user (default: a generated name)",
      required: false,
    },
  },
  flags: {
    yes: ignoredYesFlag,
    template: {
      kind: "text",
      short: "t",
      value: "name",
      completion: "template",
      summary: "template to create the workspace from",
    },
    preset: {
      kind: "text",
      value: "name",
      completion: "preset",
      summary:
        "preset of parameters, or none (default: the template's default preset, or a prompt)",
    },
    ...parameterFlags,
    alwaysPrompt: {
      ...alwaysPromptFlag,
      summary: "prompt for every parameter that the preset does not set",
    },
    promptEphemeralParameters: promptEphemeralFlag,
    useParameterDefaults: {
      ...parameterFlags.useParameterDefaults,
      summary: "use parameter defaults and the default preset without prompting",
    },
    templateVersion: {
      kind: "text",
      value: "name",
      completion: "version",
      summary: "template version (default: the active version)",
      variable: "CODER_TEMPLATE_VERSION",
    },
    copyParametersFrom: {
      kind: "text",
      value: "workspace",
      completion: "workspace",
      summary: "workspace to copy parameters from; given values take precedence",
      variable: "CODER_WORKSPACE_COPY_PARAMETERS_FROM",
    },
    startAt: {
      kind: "text",
      value: "time",
      summary: "start automatically at this time, such as '9:30am mon-fri Europe/Berlin'",
      variable: "CODER_WORKSPACE_START_AT",
    },
    stopAfter: {
      kind: "text",
      value: "duration",
      summary: "stop automatically this long after a start, such as 8h",
      variable: "CODER_WORKSPACE_STOP_AFTER",
    },
    deleteAfter: {
      kind: "text",
      value: "duration",
      summary: "delete automatically this long after a start, such as 2h",
    },
    automaticUpdates: {
      kind: "choice",
      choices: ["never", "always"],
      summary: "update to the template's active version on every start",
      variable: "CODER_WORKSPACE_AUTOMATIC_UPDATES",
    },
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway create", summary: "generated name, the only template" },
    { line: "slipway create box --template small --preset quick", summary: "with a preset" },
    {
      line: "slipway create box --parameter greeting=hi --parameter size=large",
      summary: "with parameters",
    },
    {
      line: "slipway create box --rich-parameter-file box.yaml",
      summary: "with parameters from a file",
    },
    {
      line: "slipway create ada/box --use-parameter-defaults",
      summary: "for ada, without prompts",
    },
    {
      line: "slipway create box --start-at '9am mon-fri' --stop-after 8h",
      summary: "on workdays",
    },
    { line: "slipway create --delete-after 2h", summary: "for two hours, then deleted" },
  ],
});
