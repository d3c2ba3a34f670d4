import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage templates",
  aliases: ["template"],
};
