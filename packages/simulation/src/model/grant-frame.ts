import { repeatMs } from "@slipway/server/prebuilds";

import type { Transaction } from "../store/transaction.ts";
import type { Tables } from "./tables.ts";

/**
 * Notes that an agent is told now; false when it was told within the last minute, or is on its way to its new life, or
 * already lives it.
 */
export function grantFrame(tables: Tables, trx: Transaction, agentId: string): boolean {
  return trx.update(
    tables.agents,
    agentId,
    ({ reinitSentAtMs = Number.NEGATIVE_INFINITY, ...row }) =>
      row.tookOver &&
      row.startedAtMs === undefined &&
      !row.reinitWasReceived &&
      !row.deleted &&
      reinitSentAtMs <= trx.nowMs - repeatMs
        ? { reinitSentAtMs: trx.nowMs }
        : undefined,
  );
}
