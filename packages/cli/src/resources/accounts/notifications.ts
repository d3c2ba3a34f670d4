import {
  getNotificationsSettings,
  updateNotificationsSettings,
} from "@slipway/api/notifications/routes";
import { type ApiClient, ApiError } from "@slipway/sdk/http";

import { connect } from "../../command/connect.ts";
import type { Needs } from "../../command/needs.ts";
import type { Terminal } from "../../terminal/terminal.ts";

/** Reports that a notification was sent, and whether it waits until notifications are resumed. */
export async function reportSent(
  what: string,
  client: ApiClient,
  { err }: Pick<Terminal, "err">,
  signal: AbortSignal,
): Promise<void> {
  const { notifier_paused } = await client.call(getNotificationsSettings, { signal });
  err.line(`${what} has been sent`);
  if (notifier_paused) err.line("notifications are paused: it is delivered when they are resumed");
  else err.line("read it with: slipway inbox");
}

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
