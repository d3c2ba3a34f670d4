import { reportWorkspaceUsage } from "@slipway/api/workspaces/routes";

import type { ClientNeeds } from "../../command/client-needs.ts";

/** The interval of reports, in milliseconds (docs/protocol/clients.md §1.1, usage). */
const intervalMs = 60_000;

/** Reports that a workspace is in use, now and every minute, until the signal is aborted. Never rejects. */
export async function reportUsage(
  workspace: string,
  { client, clock, signal }: Pick<ClientNeeds, "client" | "clock" | "signal">,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await client.call(reportWorkspaceUsage, { params: { workspace }, signal });
    } catch {
      // The command goes on without; the next report may succeed.
    }
    await clock.sleep(intervalMs, signal).catch(() => undefined);
  }
}
