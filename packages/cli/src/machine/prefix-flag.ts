import type { ChoiceFlag } from "../command/flags.ts";

/** `--prefix` of commands that print bytes. */
export const prefixFlag = {
  kind: "choice",
  choices: ["Gi", "Ki", "Mi", "Ti"],
  summary: "unit for bytes",
} as const satisfies ChoiceFlag;
