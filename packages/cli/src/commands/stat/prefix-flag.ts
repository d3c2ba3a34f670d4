import type { ChoiceFlag } from "../../command/flags.ts";

/** `--prefix` of commands that print bytes. */
export const prefixFlag = {
  kind: "choice",
  choices: ["Gi", "Ki", "Mi", "Ti"],
  summary: "what bytes are counted in",
} as const satisfies ChoiceFlag;
