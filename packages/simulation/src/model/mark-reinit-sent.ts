import { repeatMs } from "@slipway/server/claims";

import type { Transaction } from "../store/transaction.ts";
import type { Tables } from "./tables.ts";

/**
 * Marks that an agent is being notified; returns false if it was notified within the last minute, is on its way to
 * its new life, or already lives it.
 */
export function markReinitSent(tables: Tables, trx: Transaction, agentId: string): boolean {
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
