import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage which ports of a workspace other users can open",
  aliases: ["port-share"],
};
