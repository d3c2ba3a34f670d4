import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { notLoggedIn } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";

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

export function run(
  _options: OptionsOf<typeof command>,
  { terminal, settings }: Pick<Needs, "terminal" | "settings">,
): Promise<number> {
  if (settings.token === undefined) throw notLoggedIn(settings.url);
  terminal.out.line(settings.token);
  return Promise.resolve(exitCodes.ok);
}
