import type { GroupDefinition } from "../../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "show members of an organization",
  aliases: ["member"],
};
