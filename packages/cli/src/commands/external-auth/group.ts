import type { GroupDefinition } from "../../command/definition.ts";

export const group: GroupDefinition = {
  summary: "log in to external providers, such as git hosts, and use their tokens",
};
