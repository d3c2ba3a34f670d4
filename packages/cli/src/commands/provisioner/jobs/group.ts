import type { GroupDefinition } from "../../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "manage imports, builds and dry runs",
  aliases: ["job"],
};
