import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  name: "tokens remove",
  summary: "end an API token",
  arguments: { token: { summary: "name or id of the token", required: true } },
  flags: {
    delete: { kind: "switch", summary: "forget it too, which frees its name" },
  },
  examples: [
    { line: "slipway tokens remove ci", summary: "it stays in the list of those that ended" },
  ],
});
