import type { Template } from "@slipway/api/templates/template";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { listTemplateVersions } from "@slipway/api/templates/version-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { findTemplate, templateArgument } from "../../resources/templates/template-reference.ts";
import { relativeTime } from "../../terminal/relative-time.ts";

export const command = defineCommand({
  summary: "list the versions of a template, newest first",
  aliases: ["ls"],
  arguments: { template: templateArgument },
  flags: {
    includeArchived: { kind: "switch", summary: "include archived versions" },
    column: columnFlag(
      ["name", "status", "created at", "created by", "message", "active", "archived", "id"],
      ["name", "status", "created at", "created by", "message"],
    ),
    output: outputFlag,
  },
  examples: [{ line: "slipway templates versions list small", summary: "name, state and message" }],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const template = await findTemplate(client, options.template, { settings, signal });
  const oldestFirst = await client.call(listTemplateVersions, {
    params: { template: template.id },
    query: options.includeArchived ? { include_archived: "true" } : {},
    signal,
  });
  const now = clock.now();
  return printList(terminal, oldestFirst.toReversed(), options, {
    columns: {
      name: ({ name }) => name,
      status: (version) => stateOf(version, template),
      "created at": ({ created_at }) => relativeTime(Date.parse(created_at), now),
      "created by": ({ created_by }) => created_by.username,
      message: ({ message }) => message.split("\n")[0] ?? "",
      active: ({ id }) => (id === template.active_version_id ? "yes" : "no"),
      archived: ({ archived }) => (archived ? "yes" : "no"),
      id: ({ id }) => id,
    },
    none: "no versions",
  });
}

function stateOf({ id, archived, job }: TemplateVersion, template: Template): string {
  if (id === template.active_version_id) return "active";
  return archived ? "archived" : job.status;
}
