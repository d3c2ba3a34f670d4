import { errorText, spread } from "@slipway/runtime";

import type { Database, Queryable } from "../../platform/db/database.ts";
import { inTransaction } from "../../platform/db/transaction.ts";
import type { Platform } from "../../platform/platform.ts";
import {
  type Cutoffs,
  cutoffs,
  keptHistories,
  pauseAfter,
  type RemovedCounts,
  roundLimits,
} from "./limits.ts";
import {
  agedTables,
  deleteAged,
  deleteEndedSubAgents,
  deleteDryRuns,
  deleteExpiredKeys,
  deleteHistory,
  deleteUnusedFiles,
  deleteUnusedVersions,
  emptyLogPositions,
  historyTables,
  keptRunsTable,
  markHistoryRemoved,
  selectOldAgents,
  selectSurplusAgents,
  thinStatistics,
  tryLock,
} from "./queries.ts";

/** Removes expired and unused data in the background, round by round, until the signal is aborted. */
export async function runCleanup(
  { db, clock, logger }: Pick<Platform, "db" | "clock" | "logger">,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = pauseAfter(undefined);
  for (;;) {
    await clock.sleep(spread(pauseMs), signal);
    try {
      const removed = await cleanUp(db, clock.now());
      pauseMs = pauseAfter(removed);
      if (removed !== undefined && Object.values(removed).some((number) => number > 0)) {
        logger.info({ ...removed }, "old data removed");
      }
    } catch (error) {
      signal.throwIfAborted();
      logger.warn({ error: errorText(error) }, "cannot remove old data");
      pauseMs = pauseAfter(undefined);
    }
  }
}

/** Runs one round, in one transaction; undefined if another replica is cleaning up. `now` in epoch milliseconds. */
export function cleanUp(db: Database, now: number): Promise<RemovedCounts | undefined> {
  const old = cutoffs(now);
  return inTransaction(db, async (trx) => {
    if (!(await tryLock(trx))) return undefined;
    const history = await removeHistory(trx, old.replacedBuilds);
    const keys = await deleteExpiredKeys(trx, old.expiredKeys, roundLimits.keys);
    const dryRuns = await deleteDryRuns(trx, old.dryRuns, roundLimits.dryRuns);
    const versions = await deleteUnusedVersions(trx, old.unusedVersions, roundLimits.versions);
    const files = await deleteUnusedFiles(trx, old.unusedFiles, roundLimits.files);
    const usageRows = await removeUsage(trx, old);
    const runs = await deleteAged(trx, keptRunsTable, old.keptRuns, roundLimits.runs);
    return { ...history, usageRows, keys, files, dryRuns, versions, runs };
  });
}

/** Removes the history of agents; an agent with a remainder is selected again in the next round. */
async function removeHistory(
  db: Queryable,
  cutoff: string,
): Promise<Pick<RemovedCounts, "agents" | "rowsOfAgents">> {
  const limit = roundLimits.rowsOfAgents;
  const old = await selectOldAgents(db, cutoff, roundLimits.agents);
  const surplus = await selectSurplusAgents(db, keptHistories, roundLimits.agents - old.length);
  const agentIds = [...new Set([...old, ...surplus])];
  if (agentIds.length === 0) return { agents: 0, rowsOfAgents: 0 };
  await emptyLogPositions(db, agentIds);
  let rowsOfAgents = 0;
  for (const table of historyTables) {
    rowsOfAgents = Math.max(rowsOfAgents, await deleteHistory(db, table, agentIds, limit));
  }
  if (rowsOfAgents < limit) await markHistoryRemoved(db, agentIds);
  return { agents: agentIds.length, rowsOfAgents };
}

/** Removes old reports of agents, live or not, and sub-agents that ended. */
async function removeUsage(db: Queryable, old: Cutoffs): Promise<number> {
  const limit = roundLimits.usageRows;
  const thinned = { from: old.thinnedUsage, to: old.wholeUsage };
  let most = await thinStatistics(db, thinned, limit);
  most = Math.max(most, await deleteEndedSubAgents(db, old.endedSubAgents, roundLimits.agents));
  for (const table of agedTables) {
    most = Math.max(most, await deleteAged(db, table, old.usage, limit));
  }
  return most;
}
