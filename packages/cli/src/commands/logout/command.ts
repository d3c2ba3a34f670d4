import { defineCommand } from "../../command/definition.ts";

export const command = defineCommand({
  name: "logout",
  summary: "end the session of this machine",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway logout", summary: "end the session, and forget its token" }],
});
