import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  summary: "resume the creation and deletion of prebuilds",
  description:
    "Resume the creation and deletion of prebuilds after slipway prebuilds pause. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds resume", summary: "resume all pools" }],
});
