import { deleteTemplate } from "@slipway/api/templates/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { CommandError, UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { yesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { findTemplate, templateArgument } from "../../resources/templates/template-reference.ts";

export const command = defineCommand({
  summary: "delete a template that has no workspaces",
  aliases: ["rm"],
  arguments: { template: templateArgument },
  flags: { yes: yesFlag },
  examples: [
    { line: "slipway templates delete small", summary: "ask for confirmation" },
    { line: "slipway templates delete small -y", summary: "without confirmation" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  if (!options.yes && !terminal.interactive) {
    throw new UsageError("not a terminal: pass --yes to confirm");
  }
  const client = connect(settings);
  const template = await findTemplate(client, options.template, { settings, signal });
  const isSure =
    options.yes ||
    (await terminal.prompts.confirm(`Delete template ${template.name} and its versions?`));
  if (!isSure) throw new CommandError("nothing was deleted");
  await client.call(deleteTemplate, { params: { template: template.id }, signal });
  terminal.err.line(terminal.err.colors.green(`template ${template.name} is deleted`));
  return exitCodes.ok;
}
