import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  summary: "pause the creation and deletion of prebuilds",
  description:
    "Pause the creation and deletion of prebuilds. Waiting prebuilds can still be claimed; without one, a " +
    "workspace is built. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds pause", summary: "pause all pools" }],
});
