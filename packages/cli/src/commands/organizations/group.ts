import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "show organizations and their members",
  aliases: ["organization", "org", "orgs"],
};
