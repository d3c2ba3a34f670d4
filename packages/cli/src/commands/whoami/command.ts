import { defineCommand } from "../../command/definition.ts";
import { outputFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "show the logged-in user and the server",
  arguments: {},
  flags: { output: outputFlag },
  examples: [{ line: "slipway whoami", summary: "name, email, roles and server" }],
});
