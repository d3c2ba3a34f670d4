import { listTemplateVersions, type Template, type TemplateVersion } from "@slipway/api";

import { connect } from "../../../../command/connect.ts";
import type { OptionsOf } from "../../../../command/definition.ts";
import { exitCodes } from "../../../../command/exit-codes.ts";
import type { Needs } from "../../../../command/needs.ts";
import { printJson } from "../../../../command/print-json.ts";
import { relativeTime } from "../../../../terminal/relative-time.ts";
import { renderTable } from "../../../../terminal/table.ts";
import { findTemplate } from "../../find-template.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, options.template, signal);
  const oldestFirst = await client.call(listTemplateVersions, {
    params: { template: template.id },
    query: options.includeArchived ? { include_archived: "true" } : {},
    signal,
  });
  const versions = oldestFirst.toReversed();
  if (options.output === "json") {
    printJson(terminal.out, versions);
    return exitCodes.ok;
  }
  const now = clock.now();
  const rows = versions.map((version) => [
    version.name,
    stateOf(version, template),
    relativeTime(Date.parse(version.created_at), now),
    version.created_by.username,
    version.message.split("\n")[0] ?? "",
  ]);
  const headings = ["NAME", "STATE", "CREATED", "BY", "MESSAGE"];
  for (const line of renderTable(headings, rows, terminal.out.colors)) terminal.out.line(line);
  return exitCodes.ok;
}

function stateOf({ id, archived, job }: TemplateVersion, template: Template): string {
  if (id === template.active_version_id) return "active";
  return archived ? "archived" : job.status;
}
