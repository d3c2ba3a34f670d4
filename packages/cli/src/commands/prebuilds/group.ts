import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage pools of prebuilt workspaces",
  aliases: ["prebuild"],
};
