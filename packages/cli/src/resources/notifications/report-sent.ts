import { getNotificationsSettings } from "@slipway/api/notifications/routes";
import type { ApiClient } from "@slipway/sdk/http";

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
