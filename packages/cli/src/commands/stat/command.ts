import { defineCommand } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "show resource usage of this machine and container",
  description:
    "Show processor, memory and disk usage of this machine, and of the container if it runs in one. Intended for " +
    "workspace metadata, such as slipway stat mem.",
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
    { line: "slipway stat", summary: "show everything" },
    { line: "slipway stat -c 'host cpu' -o json", summary: "as JSON, in cores and bytes" },
  ],
});
