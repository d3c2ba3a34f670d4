import type { ListFlag, SwitchFlag, TextFlag } from "../../command/flags.ts";

/** Flags of commands that give values to the parameters of a template. */
export const parameterFlags = {
  parameter: {
    kind: "list",
    value: "name=value",
    summary: "parameter value; repeatable",
    variable: "CODER_RICH_PARAMETER",
    aliases: ["ephemeral-parameter", "build-option"],
  },
  richParameterFile: {
    kind: "text",
    value: "path",
    summary: "YAML file of parameter values, one name: value per line",
    completion: "files",
    variable: "CODER_RICH_PARAMETER_FILE",
  },
  parameterDefault: {
    kind: "list",
    value: "name=value",
    summary: "value of a parameter that has none otherwise; repeatable",
    variable: "CODER_RICH_PARAMETER_DEFAULT",
  },
  useParameterDefaults: {
    kind: "switch",
    summary: "use parameter defaults without prompting",
    variable: "CODER_WORKSPACE_USE_PARAMETER_DEFAULTS",
  },
} as const satisfies Readonly<Record<string, ListFlag | TextFlag | SwitchFlag>>;

/** `--always-prompt` of commands that change the values of a workspace. */
export const alwaysPromptFlag = {
  kind: "switch",
  summary: "prompt for every mutable parameter, with its current value as the default",
} as const satisfies SwitchFlag;

/** `--prompt-ephemeral-parameters` of commands that start a workspace. */
export const promptEphemeralFlag = {
  kind: "switch",
  variable: "CODER_PROMPT_EPHEMERAL_PARAMETERS",
  summary: "prompt for the ephemeral parameters, which hold for this start only",
  aliases: ["build-options"],
} as const satisfies SwitchFlag;
