import type { Argument } from "../../command/definition.ts";

export const templateArgument = {
  summary: "name of the template",
  required: true,
  completes: "template",
} as const satisfies Argument;

export const versionArgument = {
  summary: "name of the version",
  required: true,
  completes: "version",
} as const satisfies Argument;
