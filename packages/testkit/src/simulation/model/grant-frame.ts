import { repeatMs } from "@slipway/server/prebuilds";

import type { Transaction } from "../store/transaction.ts";
import type { Tables } from "./tables.ts";

/** Notes that an agent is told now; false when it was told within the last minute, or lives its new life already. */
export function grantFrame(tables: Tables, trx: Transaction, agentId: string): boolean {
  return trx.update(
    tables.agents,
    agentId,
    ({ tookOver, startedAtMs, deleted, reinitSentAtMs = Number.NEGATIVE_INFINITY }) =>
      tookOver && startedAtMs === undefined && !deleted && reinitSentAtMs <= trx.nowMs - repeatMs
        ? { reinitSentAtMs: trx.nowMs }
        : undefined,
  );
}
