import { cronText } from "@slipway/api/workspaces/cron-text";
import { updateAutostart } from "@slipway/api/workspaces/routes";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { cronOf } from "../../resources/workspaces/cron.ts";
import { reportChange } from "../../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "set when a workspace starts automatically",
  arguments: {
    workspace: workspaceArgument,
    time: { summary: "9:30am, 17:00, or manual to clear it", required: true },
    days: { summary: "mon-fri, or sat,sun (default: every day)", required: false },
    zone: {
      summary: "time zone such as Europe/Berlin (default: this machine's)",
      required: false,
    },
  },
  flags: { output: outputFlag },
  examples: [
    { line: "slipway schedule start demo 9:30am mon-fri", summary: "on workdays" },
    {
      line: "slipway schedule start demo 9:30 mon-fri Europe/Berlin",
      summary: "in another time zone",
    },
    { line: "slipway schedule start demo manual", summary: "start demo only manually" },
  ],
});

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const { time, days } = options;
  const zone = options.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const schedule = time === "manual" ? null : cronOf({ time, days, zone });
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  const params = { workspace: workspace.id };
  await client.call(updateAutostart, { params, body: { schedule }, signal });
  const text =
    schedule === null
      ? `${fullName(workspace)} starts only manually`
      : `${fullName(workspace)} starts automatically: ${cronText(schedule)}`;
  await reportChange({ client, terminal, signal }, workspace, options.output, text);
  return exitCodes.ok;
}
