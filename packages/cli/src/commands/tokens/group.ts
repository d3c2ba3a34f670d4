import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage API tokens",
  aliases: ["token"],
};
