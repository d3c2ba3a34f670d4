import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "let scripts of the workspace wait for each other",
};
