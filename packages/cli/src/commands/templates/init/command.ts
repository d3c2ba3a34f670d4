import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  summary: "write a starter template to a directory",
  arguments: {
    directory: {
      summary: "target directory (default: the current directory)",
      required: false,
      completes: "files",
    },
  },
  flags: {},
  examples: [{ line: "slipway templates init small-box", summary: "write small-box/slipway.yaml" }],
});
