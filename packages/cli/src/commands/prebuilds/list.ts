import { listPrebuildPools, type PrebuildPool } from "@slipway/api/prebuilds/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { columnFlag, outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { printList } from "../../command/print-result.ts";
import { withinOrganization } from "../../resources/accounts/organizations.ts";
import type { Colors } from "../../terminal/colors.ts";
import type { Cell, Columns } from "../../terminal/table.ts";

export const command = defineCommand({
  summary: "list prebuild pools and their status",
  aliases: ["ls"],
  description:
    "List prebuild pools. A pool holds the prebuilds of a preset. Desired is the target number of prebuilds, " +
    "running the current number, and eligible the number that can be claimed. If a pool is not filled, its status " +
    "says why. Requires the owner or template admin role.",
  arguments: {},
  flags: {
    column: columnFlag(
      [
        "template",
        "preset",
        "version",
        "status",
        "desired",
        "running",
        "eligible",
        "starting",
        "claimed",
        "backoff until",
        "organization",
        "preset id",
      ],
      [
        "template",
        "preset",
        "version",
        "status",
        "desired",
        "running",
        "eligible",
        "starting",
        "claimed",
      ],
    ),
    output: outputFlag,
  },
  examples: [
    { line: "slipway prebuilds list", summary: "all pools" },
    { line: "slipway prebuilds list --org lab", summary: "those of one organization" },
    { line: "slipway list --search owner:prebuilds", summary: "the prebuilds themselves" },
  ],
});

type ColumnName = (typeof command.flags.column.columns)[number];

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const { organization } = settings;
  const client = connect(settings);
  const all = await client.call(listPrebuildPools, { signal });
  const pools = await withinOrganization(all, organization, { client, signal });
  return printList(terminal, pools, options, {
    columns: columnsAt(clock.now(), terminal.out.colors),
    none:
      organization === "default"
        ? "no pools; create one by adding prebuilds to a preset in slipway.yaml"
        : `no pools of organization ${organization}`,
  });
}

function columnsAt(now: number, colors: Colors): Columns<PrebuildPool, ColumnName> {
  return {
    template: ({ template_name }) => template_name,
    preset: ({ preset_name }) => preset_name,
    version: ({ template_version_name }) => template_version_name,
    status: (pool) => statusCell(pool, now, colors),
    desired: ({ desired }) => String(desired),
    running: ({ running }) => String(running),
    eligible: ({ eligible }) => String(eligible),
    starting: ({ starting }) => String(starting),
    claimed: ({ claimed }) => String(claimed),
    "backoff until": ({ backoff_until }) => backoff_until ?? "-",
    organization: ({ organization_name }) => organization_name,
    "preset id": ({ preset_id }) => preset_id,
  };
}

/** Returns the status of a pool, or that its version is not active: nothing is built for an inactive version. */
function statusCell(
  { active, status, backoff_until: until }: PrebuildPool,
  now: number,
  colors: Colors,
): Cell {
  if (!active) return { text: "not active", style: colors.dim };
  switch (status) {
    case "healthy":
      return { text: status, style: colors.green };
    case "paused":
      return { text: status, style: colors.yellow };
    case "backed_off":
      return {
        text: `backed off${until === null ? "" : timeLeft(until, now)}`,
        style: colors.yellow,
      };
    case "hard_limited":
    case "validation_failed":
      return { text: status.replace("_", " "), style: colors.red };
  }
}

function timeLeft(until: string, now: number): string {
  return ` for ${Math.max(Math.ceil((Date.parse(until) - now) / 1000), 0)} s`;
}
