import { updatePrebuildsSettings } from "@slipway/api/prebuilds/routes";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { Needs } from "../../command/needs.ts";

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
