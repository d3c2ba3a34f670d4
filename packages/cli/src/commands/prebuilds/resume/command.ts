import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  name: "prebuilds resume",
  summary: "make and delete prebuilds again",
  description: "Ends what slipway prebuilds pause began. For owners.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds resume", summary: "of all pools" }],
});
