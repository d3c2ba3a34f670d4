import type { GroupDefinition } from "../../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "show presets of a template",
  aliases: ["preset"],
};
