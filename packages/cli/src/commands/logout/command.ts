import { defineCommand } from "../../command/definition.ts";
import { needlessYesFlag } from "../../command/flags.ts";

export const command = defineCommand({
  name: "logout",
  summary: "end the session of this machine",
  arguments: {},
  flags: { yes: needlessYesFlag },
  examples: [{ line: "slipway logout", summary: "end the session, and forget its token" }],
});
