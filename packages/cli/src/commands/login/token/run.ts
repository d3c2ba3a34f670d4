import type { OptionsOf } from "../../../command/definition.ts";
import { notLoggedIn } from "../../../command/errors.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import type { command } from "./command.ts";

export function run(
  _options: OptionsOf<typeof command>,
  { terminal, settings }: Pick<Needs, "terminal" | "settings">,
): Promise<number> {
  if (settings.token === undefined) throw notLoggedIn(settings.url);
  terminal.out.line(settings.token);
  return Promise.resolve(exitCodes.ok);
}
