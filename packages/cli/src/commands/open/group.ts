import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "open an app of a workspace, or a workspace in an editor",
};
