import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  name: "templates init",
  summary: "write a starter template into a directory",
  arguments: {
    directory: { summary: "where to; here unless given", required: false, completes: "files" },
  },
  flags: {},
  examples: [
    { line: "slipway templates init small-box", summary: "writes small-box/slipway.yaml" },
  ],
});
