import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag, noWaitFlag, outputFlag } from "../../command/flags.ts";
import { alwaysPromptFlag, parameterFlags } from "../parameters/flags.ts";

export const command = defineCommand({
  name: "create",
  summary: "create a workspace and start it",
  description:
    "Creates a workspace and shows how it starts, until it can be used. On a terminal it asks for the template where " +
    "there are several, for a preset where the template has some, and for the parameters that have no value yet: Enter " +
    "takes the default. Where the preset has prebuilds and one waits, it becomes the workspace, which is ready sooner.",
  arguments: {
    name: {
      summary: "name of the workspace, or owner/name for somebody else's (default: one is made up)",
      required: false,
    },
  },
  flags: {
    yes: needlessYesFlag,
    template: {
      kind: "text",
      short: "t",
      value: "name",
      completes: "template",
      summary: "what to make it from",
    },
    preset: {
      kind: "text",
      value: "name",
      completes: "preset",
      summary:
        "a named set of parameters, or none (default: the template's default preset, or asked for)",
    },
    ...parameterFlags,
    alwaysPrompt: {
      ...alwaysPromptFlag,
      summary: "ask for every parameter that the preset leaves open",
    },
    useParameterDefaults: {
      kind: "switch",
      summary: "take the defaults of parameters and the default preset without asking",
      variable: "CODER_WORKSPACE_USE_PARAMETER_DEFAULTS",
    },
    templateVersion: {
      kind: "text",
      value: "name",
      completes: "version",
      summary: "another version of the template than the active one",
      variable: "CODER_TEMPLATE_VERSION",
    },
    copyParametersFrom: {
      kind: "text",
      value: "workspace",
      completes: "workspace",
      summary: "take the parameters of this workspace that are not given",
      variable: "CODER_WORKSPACE_COPY_PARAMETERS_FROM",
    },
    startAt: {
      kind: "text",
      value: "time",
      summary: "when it starts by itself, such as '9:30am mon-fri Europe/Berlin'",
      variable: "CODER_WORKSPACE_START_AT",
    },
    stopAfter: {
      kind: "text",
      value: "duration",
      summary: "how long after a start it stops by itself, such as 8h",
      variable: "CODER_WORKSPACE_STOP_AFTER",
    },
    automaticUpdates: {
      kind: "choice",
      choices: ["never", "always"],
      summary: "whether each start takes the template's active version",
      variable: "CODER_WORKSPACE_AUTOMATIC_UPDATES",
    },
    noWait: noWaitFlag,
    output: outputFlag,
  },
  examples: [
    { line: "slipway create", summary: "a made-up name, the only template" },
    { line: "slipway create box --template small --preset quick", summary: "with a preset" },
    {
      line: "slipway create box --parameter greeting=hi --parameter size=large",
      summary: "with parameters",
    },
    { line: "slipway create box --rich-parameter-file box.yaml", summary: "values of a file" },
    {
      line: "slipway create ada/box --use-parameter-defaults",
      summary: "for ada, without questions",
    },
    {
      line: "slipway create box --start-at '9am mon-fri' --stop-after 8h",
      summary: "on workdays",
    },
  ],
});
