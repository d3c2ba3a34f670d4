import type { GroupDefinition } from "../../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage versions of a template",
  aliases: ["version"],
};
