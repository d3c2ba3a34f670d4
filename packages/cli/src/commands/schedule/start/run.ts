import { updateAutostart } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { cronOf, cronText } from "../../../resources/workspaces/cron.ts";
import { findWorkspace, fullName } from "../../../resources/workspaces/reference.ts";
import { reportChange } from "../../../resources/workspaces/report-change.ts";
import type { command } from "./command.ts";

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
