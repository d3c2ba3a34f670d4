import { durationText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { listTemplates } from "../../resources/templates/template-reference.ts";
import { relativeTime } from "../../terminal/relative-time.ts";

export const command = defineCommand({
  summary: "list templates",
  aliases: ["ls"],
  arguments: {},
  flags: {
    column: columnFlag(
      [
        "name",
        "display name",
        "used by",
        "last updated",
        "description",
        "created at",
        "default ttl",
        "active version id",
        "organization name",
        "organization id",
        "provisioner",
      ],
      ["name", "display name", "used by", "last updated", "description"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway templates list", summary: "names, descriptions and usage" },
    { line: "slipway templates list --org lab", summary: "those of one organization" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { organization } = settings;
  const templates = await listTemplates(connect(settings), organization, signal);
  const now = clock.now();
  const { colors } = terminal.out;
  return printList(terminal, templates, options, {
    columns: {
      name: ({ name, deprecated }) => (deprecated ? { text: name, style: colors.dim } : name),
      "display name": ({ display_name }) => display_name || "-",
      "used by": ({ active_user_count: users }) => (users < 0 ? "-" : String(users)),
      "last updated": ({ updated_at }) => relativeTime(Date.parse(updated_at), now),
      description: ({ description }) => description,
      "created at": ({ created_at }) => relativeTime(Date.parse(created_at), now),
      "default ttl": ({ default_ttl_ms: ttl }) => (ttl === 0 ? "-" : durationText(ttl)),
      "active version id": ({ active_version_id }) => active_version_id,
      "organization name": ({ organization_name }) => organization_name,
      "organization id": ({ organization_id }) => organization_id,
      provisioner: ({ provisioner }) => provisioner,
    },
    none:
      organization === "default"
        ? "no templates; create one with: slipway templates init, then slipway templates push"
        : `no templates of organization ${organization}`,
  });
}
