import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "collect what helps to find the cause of a problem",
};
