import type { DeploymentStats } from "@slipway/api";

import type { Queryable } from "../../platform/db/database.ts";
import { timestampFromMs } from "../../platform/db/timestamp.ts";
import { countWorkspaces, sumUsage } from "./stats-queries.ts";

/** The period of traffic and latency, in milliseconds. */
const windowMs = 15 * 60_000;
/** The time after which a silent agent is not in use, in milliseconds; agents in use report twice a minute. */
const sessionMs = 90_000;
const updateMs = 30_000;

/** Reads the usage of the deployment, at `now` in milliseconds since the epoch. */
export async function readStats(db: Queryable, now: number): Promise<DeploymentStats> {
  const from = timestampFromMs(now - windowMs);
  const [workspaces, usage] = await Promise.all([
    countWorkspaces(db),
    sumUsage(db, from, timestampFromMs(now - sessionMs)),
  ]);
  const { vscode, ssh, jetbrains, reconnecting_pty } = usage;
  return {
    aggregated_from: from,
    collected_at: timestampFromMs(now),
    next_update_at: timestampFromMs(now + updateMs),
    workspaces: {
      ...workspaces,
      connection_latency_ms: { P50: usage.latency_p50 ?? -1, P95: usage.latency_p95 ?? -1 },
      rx_bytes: usage.rx_bytes,
      tx_bytes: usage.tx_bytes,
    },
    session_count: { vscode, ssh, jetbrains, reconnecting_pty },
  };
}
