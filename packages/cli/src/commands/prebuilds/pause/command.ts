import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  name: "prebuilds pause",
  summary: "make and delete no prebuilds until resumed",
  description:
    "Pools are left as they are: what waits can still be claimed, and where nothing waits a workspace is built. For owners.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds pause", summary: "of all pools" }],
});
