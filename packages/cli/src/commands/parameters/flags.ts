import type { ListFlag, SwitchFlag, TextFlag } from "../../command/flags.ts";

/** Flags of commands that give values to the parameters of a template. */
export const parameterFlags = {
  parameter: {
    kind: "list",
    value: "name=value",
    summary: "value of a parameter of the template; repeat for more",
    variable: "CODER_RICH_PARAMETER",
  },
  richParameterFile: {
    kind: "text",
    value: "path",
    summary: "YAML file with values of parameters, one name: value a line",
    completes: "files",
    variable: "CODER_RICH_PARAMETER_FILE",
  },
  parameterDefault: {
    kind: "list",
    value: "name=value",
    summary: "value of a parameter that nothing else gives one; repeat for more",
    variable: "CODER_RICH_PARAMETER_DEFAULT",
  },
} as const satisfies Readonly<Record<string, ListFlag | TextFlag | SwitchFlag>>;

/** `--always-prompt` of commands that change the values of a workspace. */
export const alwaysPromptFlag = {
  kind: "switch",
  summary: "ask for every parameter that may change, with its present value as the default",
} as const satisfies SwitchFlag;
