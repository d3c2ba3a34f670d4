import type { ProvisionerDaemon } from "@slipway/api/jobs/provisioner";
import { listProvisionerDaemons } from "@slipway/api/organizations/provisioner-routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { tagsText } from "../../resources/builds/tags.ts";
import { relativeTime } from "../../terminal/relative-time.ts";
import type { Columns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "list servers and provisioners, which carry out jobs",
  aliases: ["ls"],
  arguments: {},
  flags: {
    offline: {
      kind: "switch",
      short: "f",
      variable: "CODER_PROVISIONER_SHOW_OFFLINE",
      summary: "include those that are offline",
    },
    column: columnFlag(
      [
        "created at",
        "last seen at",
        "key name",
        "name",
        "version",
        "status",
        "tags",
        "current job",
        "current job template name",
        "previous job",
        "id",
      ],
      ["name", "key name", "status", "tags", "version", "last seen at", "current job"],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway provisioner list", summary: "their status, tags and current jobs" },
    { line: "slipway provisioner list --offline", summary: "including those that are offline" },
  ],
});

type ColumnName = (typeof command.flags.column.columns)[number];

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const workers = await connect(settings).call(listProvisionerDaemons, {
    params: { organization: settings.organization },
    query: { ...(options.offline ? { offline: "true" } : {}), limit: "1000" },
    signal,
  });
  const columns = columnsAt(clock.now());
  return printList(terminal, workers, options, { columns, none: "no servers and provisioners" });
}

function columnsAt(now: number): Columns<ProvisionerDaemon, ColumnName> {
  const when = (time: string): string => relativeTime(Date.parse(time), now);
  return {
    "created at": ({ created_at }) => when(created_at),
    "last seen at": ({ last_seen_at }) => when(last_seen_at),
    "key name": ({ key_name }) => key_name,
    name: ({ name }) => name,
    version: ({ version }) => version,
    status: ({ status }) => status,
    tags: ({ tags }) => tagsText(tags) || "-",
    "current job": ({ current_job }) => current_job?.id ?? "-",
    "current job template name": ({ current_job }) => current_job?.template_name || "-",
    "previous job": ({ previous_job }) => previous_job?.id ?? "-",
    id: ({ id }) => id,
  };
}
