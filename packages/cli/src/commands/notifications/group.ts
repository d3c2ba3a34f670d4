import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "pause, resume, test and send notifications",
  aliases: ["notification"],
};
