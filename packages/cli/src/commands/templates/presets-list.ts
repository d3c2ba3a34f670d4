import { listTemplateVersionPresets } from "@slipway/api/templates/version-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { presetText } from "../../resources/templates/preset-values.ts";
import {
  findTemplate,
  findVersion,
  templateArgument,
} from "../../resources/templates/template-reference.ts";

export const command = defineCommand({
  summary: "list the presets of a template",
  aliases: ["ls"],
  arguments: { template: templateArgument },
  flags: {
    templateVersion: {
      kind: "text",
      value: "name",
      completion: "version",
      summary: "template version (default: the active version)",
    },
    column: columnFlag([
      "name",
      "default",
      "desired prebuild instances",
      "parameters",
      "description",
    ]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway templates presets list small", summary: "presets and their parameters" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, options.template, { settings, signal });
  const version =
    options.templateVersion === undefined
      ? template.active_version_id
      : (await findVersion(client, template, options.templateVersion, signal)).id;
  const presets = await client.call(listTemplateVersionPresets, { params: { version }, signal });
  const texts = new Map<string, string>();
  if (options.output === "text" && options.column.includes("parameters")) {
    for (const preset of presets) {
      texts.set(preset.ID, await presetText(version, preset, { client, signal }));
    }
  }
  return printList(terminal, presets, options, {
    columns: {
      name: ({ Name }) => Name,
      default: ({ Default }) => (Default ? "yes" : "no"),
      "desired prebuild instances": (preset) => String(preset.DesiredPrebuildInstances ?? "-"),
      parameters: ({ ID }) => texts.get(ID) ?? "",
      description: ({ Description }) => Description,
    },
    none: `template ${template.name} has no presets`,
  });
}
