import { archiveTemplateVersions } from "@slipway/api/templates/version-routes";
import { countText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { ignoredYesFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printJson } from "../../command/print-result.ts";
import { findTemplate, templateArgument } from "../../resources/templates/template-reference.ts";

export const command = defineCommand({
  summary: "archive failed or unused versions of a template",
  arguments: { template: templateArgument },
  flags: {
    yes: ignoredYesFlag,
    all: { kind: "switch", summary: "archive all unused versions, not only failed ones" },
    output: outputFlag,
  },
  examples: [
    { line: "slipway templates archive small", summary: "failed versions" },
    { line: "slipway templates archive small --all", summary: "all unused versions" },
  ],
});

export async function run(
  { template: name, all, output }: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, name, { settings, signal });
  const params = { template: template.id };
  const done = await client.call(archiveTemplateVersions, { params, body: { all }, signal });
  const count = done.archived_ids.length;
  if (output === "json") printJson(terminal.out, done);
  else terminal.err.line(`archived ${countText(count, "version")} of ${template.name}`);
  return exitCodes.ok;
}
