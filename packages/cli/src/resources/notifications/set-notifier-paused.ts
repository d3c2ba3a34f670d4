import { updateNotificationsSettings } from "@slipway/api/notifications/routes";
import { ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { Needs } from "../../command/needs.ts";

/** Pauses or resumes notifications; resolves with false if there was nothing to change. */
export async function setNotifierPaused(
  notifier_paused: boolean,
  { settings, signal }: Pick<Needs, "settings" | "signal">,
): Promise<boolean> {
  try {
    await connect(settings).call(updateNotificationsSettings, {
      body: { notifier_paused },
      signal,
    });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 304) return false;
    throw error;
  }
}
