import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage the server's jobs",
  aliases: ["provisioners"],
};
