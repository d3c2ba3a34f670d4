import { updateTtl } from "@slipway/api/workspaces/routes";
import { durationText } from "@slipway/runtime";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { readDuration } from "../../command/duration.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import { outputFlag } from "../../command/flags.ts";
import type { Needs } from "../../command/needs.ts";
import { reportChange } from "../../resources/workspaces/outcome.ts";
import {
  findWorkspace,
  fullName,
  workspaceArgument,
} from "../../resources/workspaces/workspace-reference.ts";

export const command = defineCommand({
  summary: "set how long after a start a workspace stops automatically",
  arguments: {
    workspace: workspaceArgument,
    duration: { summary: "8h, 1h30m, or manual to clear it", required: true },
  },
  flags: { output: outputFlag },
  examples: [
    { line: "slipway schedule stop demo 8h", summary: "from the next start on" },
    { line: "slipway schedule stop demo manual", summary: "stop demo only manually" },
  ],
});

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
