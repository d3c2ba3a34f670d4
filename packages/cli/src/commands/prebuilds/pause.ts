import { updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import { defineCommand, type OptionsOf } from "../../command/definition.ts";
import { exitCodes } from "../../command/exit-codes.ts";
import type { Needs } from "../../command/needs.ts";

export const command = defineCommand({
  summary: "pause the creation and deletion of prebuilds",
  description:
    "Pause the creation and deletion of prebuilds. Waiting prebuilds can still be claimed; without one, a " +
    "workspace is built. Requires the owner role.",
  arguments: {},
  flags: {},
  examples: [{ line: "slipway prebuilds pause", summary: "pause all pools" }],
});

export async function run(
  _options: OptionsOf<typeof command>,
  needs: Pick<Needs, "terminal" | "settings" | "signal">,
): Promise<number> {
  const isNew = await setPaused(true, needs);
  needs.terminal.err.line(isNew ? "prebuilds are paused" : "prebuilds are already paused");
  return exitCodes.ok;
}

/** Pauses or resumes the filling of pools; resolves with false if there was nothing to change. */
export async function setPaused(
  reconciliation_paused: boolean,
  { settings, signal }: Pick<Needs, "settings" | "signal">,
): Promise<boolean> {
  try {
    const body = { reconciliation_paused };
    await connect(settings).call(updatePrebuildsSettings, { body, signal });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 304) return false;
    throw error;
  }
}
