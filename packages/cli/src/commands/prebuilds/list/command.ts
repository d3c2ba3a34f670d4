import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  name: "prebuilds list",
  summary: "list pools of prebuilds and how full they are",
  description:
    "A pool is what a preset with prebuilds keeps ready. Desired is how many are to wait now, running how many do, and " +
    "eligible how many of these can be claimed. The status says why a pool is not filled, if it is not. For owners and " +
    "template admins.",
  arguments: {},
  flags: {
    column: columnFlag(
      [
        "template",
        "preset",
        "version",
        "status",
        "desired",
        "running",
        "eligible",
        "starting",
        "claimed",
        "backoff until",
        "organization",
        "preset id",
      ],
      [
        "template",
        "preset",
        "version",
        "status",
        "desired",
        "running",
        "eligible",
        "starting",
        "claimed",
      ],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway prebuilds list", summary: "every pool" },
    { line: "slipway list --search owner:prebuilds", summary: "the workspaces that wait" },
  ],
});
