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
  type Retention,
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
  markHistoryRemoved,
  separateTables,
  selectOldAgents,
  selectSurplusAgents,
  thinStatistics,
  tryLock,
} from "./queries.ts";

/** Removes expired and unused data in the background, round by round, until the signal is aborted. */
export async function runCleanup(
  { db, clock, logger }: Pick<Platform, "db" | "clock" | "logger">,
  retention: Retention,
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = pauseAfter(undefined);
  for (;;) {
    await clock.sleep(spread(pauseMs), signal);
    try {
      const removed = await cleanUp(db, clock.now(), retention);
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

/**
 * Runs one round, in a short transaction for each kind of data; undefined if another replica is cleaning up. `now` in
 * epoch milliseconds.
 */
export async function cleanUp(
  db: Database,
  now: number,
  retention: Retention,
): Promise<RemovedCounts | undefined> {
  const old = cutoffs(now, retention);
  const remove = <T>(work: (trx: Queryable) => Promise<T>): Promise<T | undefined> =>
    inTransaction(db, async (trx) => ((await tryLock(trx)) ? work(trx) : undefined));
  const removeAged = (kind: keyof typeof separateTables, cutoff: string) =>
    remove((trx) => deleteAged(trx, separateTables[kind], cutoff, roundLimits[kind]));
  const history = await remove((trx) => removeHistory(trx, old));
  if (history === undefined) return undefined;
  const keys = await remove((trx) => deleteExpiredKeys(trx, old.expiredKeys, roundLimits.keys));
  const dryRuns = await remove((trx) => deleteDryRuns(trx, old.dryRuns, roundLimits.dryRuns));
  const versions = await remove((trx) =>
    deleteUnusedVersions(trx, old.unusedVersions, roundLimits.versions),
  );
  const files = await remove((trx) => deleteUnusedFiles(trx, old.unusedFiles, roundLimits.files));
  const usageRows = await remove((trx) => removeUsage(trx, old));
  const runs = await removeAged("runs", old.keptRuns);
  const readings = await removeAged("readings", old.readings);
  const auditEntries = await removeAged("auditEntries", old.auditEntries);
  const buildLogLines = await removeAged("buildLogLines", old.buildLogLines);
  return {
    ...history,
    usageRows: usageRows ?? 0,
    keys: keys ?? 0,
    files: files ?? 0,
    dryRuns: dryRuns ?? 0,
    versions: versions ?? 0,
    runs: runs ?? 0,
    readings: readings ?? 0,
    auditEntries: auditEntries ?? 0,
    buildLogLines: buildLogLines ?? 0,
  };
}

/** Removes the history of agents; an agent with a remainder is selected again in the next round. */
async function removeHistory(
  db: Queryable,
  times: Cutoffs,
): Promise<Pick<RemovedCounts, "agents" | "rowsOfAgents">> {
  const limit = roundLimits.rowsOfAgents;
  const old = await selectOldAgents(db, times.replacedBuilds, roundLimits.agents);
  const room = roundLimits.agents - old.length;
  const surplus = await selectSurplusAgents(db, times, keptHistories, room);
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
