import { setTimeout as pause } from "node:timers/promises";

import type { Findings } from "../findings.ts";
import type { ClaimWorld } from "./claim-world.ts";
import { claim } from "./claim.ts";
import { settleMs } from "./measure-claims.ts";
import type { StatementCalls, StatementCount } from "./measured-postgres.ts";
import { beginAtRate } from "./pacing.ts";
import type { Part } from "./part.ts";
import type { PrebuildPool } from "./prebuild-pool.ts";
import { readProcessCost } from "./process-cost.ts";
import type { WaitingFleet } from "./waiting-fleet.ts";

const claims = { perSecond: 20, count: 100 } as const;

/**
 * Counts the statements of claims: until the frames are sent, and then for the new lives of the agents. Resolves to
 * the statements of both, including those of an idle server, with their calls and milliseconds per claim.
 */
export async function measureStatements(
  { database, client, fleets, claimed }: ClaimWorld,
  pool: PrebuildPool,
  findings: Findings,
): Promise<readonly StatementCalls[]> {
  const counter = await openCounter(database);
  // An agent reconnects as soon as it has received its frame.
  for (const fleet of fleets) await fleet.call("hold");
  await counter.reset();
  const made = await beginAtRate(claims.perSecond, claims.count, () => claim(client, pool));
  for (const { workspaceId } of made) await claimed.framed(workspaceId);
  const untilFrame = await counter.read();
  for (const fleet of fleets) await fleet.call("release");
  for (const { workspaceId } of made) await claimed.begun(workspaceId);
  await pause(settleMs);
  const all = await counter.read();
  const note = (what: string, statements: number): void =>
    findings.note(`statements a claim, ${what}`, "statements", statements / claims.count);
  note("until its frame", untilFrame);
  note("for the agent's new life", all - untilFrame);
  return (await counter.list()).map(({ text, calls, ms }) => ({
    text,
    calls: calls / claims.count,
    ms: ms / claims.count,
  }));
}

/** Cuts all streams together and waits until they are open again. */
export async function measureReconnect(
  { database, serverPid }: ClaimWorld,
  fleets: readonly Part<WaitingFleet>[],
  findings: Findings,
): Promise<void> {
  const counter = await openCounter(database);
  const before = readProcessCost(serverPid);
  await counter.reset();
  const startedAt = performance.now();
  const backMs = (await Promise.all(fleets.map((fleet) => fleet.call("cut")))).flat();
  const seconds = (performance.now() - startedAt) / 1000;
  const statements = await counter.read();
  const after = readProcessCost(serverPid);
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
  findings.noteTimes("cut: stream back", backMs);
  findings.note("cut: all streams back", "ms", Math.max(...backMs));
  findings.note("cut: statements a reconnect", "statements", statements / backMs.length);
  findings.note(
    "cut: processor of the server, a reconnect",
    "ms, processor",
    (cpuSeconds * 1000) / backMs.length,
  );
  findings.note("cut: processor of the server meanwhile", "cores", cpuSeconds / seconds);
  findings.note("cut: memory of the server before", "MB", before.residentMb);
  findings.note("cut: memory of the server at most", "MB", after.peakMb);
}

/** Counts the statements since `reset`, minus those of an idle server. */
async function openCounter(
  database: ClaimWorld["database"],
): Promise<StatementCount & { readonly reset: () => Promise<void> }> {
  const idle = await database.countStatements();
  await pause(settleMs);
  const idlePerMs = (await idle.read()) / settleMs;
  let count = idle;
  let startedAt = 0;
  return {
    reset: async () => {
      count = await database.countStatements();
      startedAt = performance.now();
    },
    read: async () => (await count.read()) - idlePerMs * (performance.now() - startedAt),
    list: () => count.list(),
  };
}
