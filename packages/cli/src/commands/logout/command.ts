import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag } from "../../command/flags.ts";

export const command = defineCommand({
  summary: "log out and revoke this machine's session",
  arguments: {},
  flags: { yes: needlessYesFlag },
  examples: [{ line: "slipway logout", summary: "revoke the session and delete its token" }],
});
