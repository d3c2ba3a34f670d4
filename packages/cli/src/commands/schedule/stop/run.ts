import { updateTtl } from "@slipway/api";

import { connect } from "../../../command/connect.ts";
import type { OptionsOf } from "../../../command/definition.ts";
import { durationText, readDuration } from "../../../command/duration.ts";
import { exitCodes } from "../../../command/exit-codes.ts";
import type { Needs } from "../../../command/needs.ts";
import { findWorkspace, fullName } from "../../../resources/workspaces/reference.ts";
import { reportChange } from "../../../resources/workspaces/report-change.ts";
import type { command } from "./command.ts";

export async function run(
  options: OptionsOf<typeof command>,
  { terminal, settings, signal }: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const ttl_ms = options.duration === "manual" ? null : readDuration("duration", options.duration);
  const client = connect(settings);
  const workspace = await findWorkspace(client, options.workspace, signal);
  await client.call(updateTtl, { params: { workspace: workspace.id }, body: { ttl_ms }, signal });
  const text =
    ttl_ms === null
      ? `${fullName(workspace)} stops only manually`
      : `${fullName(workspace)} stops ${durationText(ttl_ms)} after each start, from the next one on`;
  await reportChange({ client, terminal, signal }, workspace, options.output, text);
  return exitCodes.ok;
}
