import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage users and their roles",
  aliases: ["user"],
};
