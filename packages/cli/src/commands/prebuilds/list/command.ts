import { defineCommand } from "../../../command/definition.ts";
import { columnFlag, outputFlag } from "../../../command/flags.ts";

export const command = defineCommand({
  summary: "list prebuild pools and their status",
  aliases: ["ls"],
  description:
    "List prebuild pools. A pool holds the prebuilds of a preset. Desired is the target number of prebuilds, " +
    "running the current number, and eligible the number that can be claimed. If a pool is not filled, its status " +
    "says why. Requires the owner or template admin role.",
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
    { line: "slipway prebuilds list", summary: "all pools" },
    { line: "slipway list --search owner:prebuilds", summary: "the prebuilds themselves" },
  ],
});
