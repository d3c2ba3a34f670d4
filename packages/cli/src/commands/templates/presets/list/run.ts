import { listTemplateVersionPresets } from "@slipway/api";

import { connect } from "../../../../command/connect.ts";
import type { OptionsOf } from "../../../../command/definition.ts";
import { exitCodes } from "../../../../command/exit-codes.ts";
import type { Needs } from "../../../../command/needs.ts";
import { printJson } from "../../../../command/print-json.ts";
import { renderTable } from "../../../../terminal/table.ts";
import { findTemplate, findVersion } from "../../find-template.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, options.template, signal);
  const version =
    options.version === undefined
      ? template.active_version_id
      : (await findVersion(client, template, options.version, signal)).id;
  const presets = await client.call(listTemplateVersionPresets, { params: { version }, signal });
  if (options.output === "json") {
    printJson(terminal.out, presets);
    return exitCodes.ok;
  }
  if (presets.length === 0) {
    terminal.err.line(`template ${template.name} has no presets`);
    return exitCodes.ok;
  }
  const rows = presets.map((preset) => [
    preset.Name,
    preset.Default ? "default" : "-",
    String(preset.DesiredPrebuildInstances ?? "-"),
    preset.Parameters.map(({ Name, Value }) => `${Name}=${Value}`).join(", "),
    preset.Description,
  ]);
  const headings = ["NAME", "DEFAULT", "PREBUILDS", "PARAMETERS", "DESCRIPTION"];
  for (const line of renderTable(headings, rows, terminal.out.colors)) terminal.out.line(line);
  return exitCodes.ok;
}
