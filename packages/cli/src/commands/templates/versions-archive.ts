import { archiveTemplateVersion } from "@slipway/api/templates/version-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import {
  findTemplate,
  findVersion,
  templateArgument,
  versionArgument,
} from "../../resources/templates/template-reference.ts";

export const command = defineCommand({
  summary: "archive an unused version",
  arguments: { template: templateArgument, version: versionArgument },
  flags: { yes: ignoredYesFlag },
  examples: [
    { line: "slipway templates versions archive small v2", summary: "archive version v2 of small" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, options.template, { settings, signal });
  const version = await findVersion(client, template, options.version, signal);
  await client.call(archiveTemplateVersion, { params: { version: version.id }, signal });
  terminal.err.line(`version ${version.name} of ${template.name} is archived`);
  return exitCodes.ok;
}
