import { updateActiveVersion } from "@slipway/api/templates/version-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { UsageError } from "../../command/errors.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";
import { findTemplate, findVersion } from "../../resources/templates/template-reference.ts";

export const command = defineCommand({
  summary: "make a version the active one",
  arguments: {
    name: { summary: "name of the template", required: false, completion: "template" },
    version: { summary: "name of the version", required: false, completion: "version" },
  },
  flags: {
    template: {
      kind: "text",
      short: "t",
      value: "name",
      summary: "the template, as a flag",
      variable: "CODER_TEMPLATE_NAME",
      completion: "template",
      hidden: true,
    },
    templateVersion: {
      kind: "text",
      value: "name",
      summary: "the version, as a flag",
      variable: "CODER_TEMPLATE_VERSION_NAME",
      completion: "version",
      hidden: true,
    },
  },
  examples: [
    {
      line: "slipway templates versions promote small v2",
      summary: "activate version v2 of small",
    },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const name = options.name ?? options.template;
  const versionName = options.version ?? options.templateVersion;
  if (name === undefined || versionName === undefined) {
    const missing = name === undefined ? "template" : "version";
    throw new UsageError(
      `no ${missing} given`,
      "pass both: slipway templates versions promote <template> <version>",
    );
  }
  const client = connect(settings);
  const template = await findTemplate(client, name, { settings, signal });
  const version = await findVersion(client, template, versionName, signal);
  await client.call(updateActiveVersion, {
    params: { template: template.id },
    body: { id: version.id },
    signal,
  });
  terminal.err.line(
    terminal.err.colors.green(`${template.name} is now at version ${version.name}`),
  );
  return exitCodes.ok;
}
