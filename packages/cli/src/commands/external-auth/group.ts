import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "use the workspace owner's external logins",
};
