import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  summary: "print the current session token",
  description: "Print the session token, for scripts. Anyone who has it can do what you can do.",
  arguments: {},
  flags: {},
  examples: [
    { line: "slipway login token", summary: "print the token" },
    {
      line: 'curl -H "Coder-Session-Token: $(slipway login token)" …',
      summary: "call the API",
    },
  ],
});
