import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  name: "stat",
  summary: "show how much of this machine and this container is used",
  description:
    "Shows processors, memory and disk of the machine it runs on, and of the container, if it runs in one. Made for " +
    "the metadata of a workspace: slipway stat mem.",
  arguments: {},
  flags: {
    column: columnFlag([
      "host cpu",
      "host memory",
      "home disk",
      "container cpu",
      "container memory",
    ]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway stat", summary: "all of it" },
    { line: "slipway stat -c 'host cpu' -o json", summary: "for programs, in cores and bytes" },
  ],
});
