import { defineCommand } from "../../../command/definition.ts";

export const command = defineCommand({
  name: "login token",
  summary: "print the session token in use",
  description: "Prints the token of the log-in, for scripts. Whoever has it may do what you may.",
  arguments: {},
  flags: {},
  examples: [
    { line: "slipway login token", summary: "prints it" },
    {
      line: 'curl -H "Coder-Session-Token: $(slipway login token)" …',
      summary: "a call of the API",
    },
  ],
});
