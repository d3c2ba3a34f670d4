import type { Argument } from "../../command/definition.ts";

export const templateArgument = {
  summary: "name of the template",
  required: true,
  completion: "template",
} as const satisfies Argument;

export const versionArgument = {
  summary: "name of the version",
  required: true,
  completion: "version",
} as const satisfies Argument;
