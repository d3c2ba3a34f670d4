import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import type { Findings } from "../findings.ts";
import { quantile } from "../report.ts";
import type { ClaimWorld } from "./claim-world.ts";
import { claim, type CommittedClaim, readCommitTimes } from "./claim.ts";
import type { ClaimedAgent } from "./claimed-agents.ts";
import type { NotifyFloor, NotifyRounds } from "./notify-floor.ts";
import { openDirectory } from "./our-server.ts";
import { beginAtRate, makeMany } from "./pacing.ts";
import type { PrebuildPool } from "./prebuild-pool.ts";
import { readProcessCost } from "./process-cost.ts";
import { type RealLife, startRealAgent } from "./real-agents.ts";

/** The number of claims and the rate at which they start. */
export interface ClaimRate {
  readonly perSecond: number;
  readonly claims: number;
}

const notifyEveryMs = 50;
/** The time for agents to finish after their start scripts began. */
export const settleMs = 5_000;

/** Claims at a rate, with the floor measured alongside, until the agents would run their start scripts. */
export async function measureRate(
  world: ClaimWorld,
  floor: NotifyFloor,
  pool: PrebuildPool,
  rate: ClaimRate,
  findings: Findings,
): Promise<void> {
  const name = `${rate.perSecond}/s`;
  const times: { readonly one: CommittedClaim; readonly agent: ClaimedAgent }[] = [];
  await noteCosts(world, { name, claims: rate.claims, findings }, async () => {
    const made = await claimBesideFloor(world, floor, pool, { name, rate }, findings);
    for (const one of made) {
      times.push({ one, agent: await world.claimed.begun(one.workspaceId) });
    }
  });
  const note = (span: string, toMs: (claimed: (typeof times)[number]) => number): void =>
    findings.noteTimes(`${name}: ${span}`, times.map(toMs));
  note("commit → frame", ({ one, agent }) => agent.frameAtMs - one.committedAtMs);
  note("response → frame", ({ one, agent }) => agent.frameAtMs - one.respondedAtMs);
  note("frame → manifest", ({ agent }) => agent.manifestAtMs - agent.frameAtMs);
  note("request → scripts", ({ one, agent }) => agent.startAtMs - one.requestedAtMs);
}

/** Requests claims together. A request that gets no response before the client's time limit counts as not served. */
export async function measureBurst(
  world: ClaimWorld,
  pool: PrebuildPool,
  claims: number,
  findings: Findings,
): Promise<void> {
  const settled = await noteCosts(world, { name: "burst", claims, findings }, () =>
    Promise.allSettled(Array.from({ length: claims }, () => claim(world.client, pool))),
  );
  const times = settled.flatMap((one) =>
    one.status === "fulfilled" ? [one.value.respondedAtMs - one.value.requestedAtMs] : [],
  );
  findings.note("burst: claims requested", "claims", claims);
  findings.note("burst: claims served", "claims", times.length);
  findings.note("burst: request → response, p95", "ms, p95", quantile(times, 0.95));
}

/** Claims all prebuilds of a pool with real agents, one per second. */
export async function measureReal(
  world: ClaimWorld,
  floor: NotifyFloor,
  pool: PrebuildPool,
  findings: Findings,
): Promise<void> {
  await using started = new AsyncDisposableStack();
  const directory = await openDirectory(started);
  const waiting = await pool.fill();
  const agents = new Map(
    await makeMany(waiting.length, async (index) => {
      const { workspaceId = "", token = "" } = waiting[index] ?? {};
      const { serverUrl } = world.client;
      const place = { serverUrl, token, directory: join(directory, `agent-${index}`) };
      const agent = await startRealAgent(started, place);
      return [workspaceId, agent] as const;
    }),
  );
  await pool.ready();
  await pause(settleMs);
  const rate = { perSecond: 1, claims: waiting.length };
  const made = await claimBesideFloor(world, floor, pool, { name: "real", rate }, findings);
  await pause(settleMs);
  const lives: { readonly one: CommittedClaim; readonly life: RealLife }[] = [];
  for (const one of made) {
    const life = await agents.get(one.workspaceId)?.newLife();
    if (life === undefined) throw new Error(`agent of ${one.workspaceId} began no new life`);
    lives.push({ one, life });
  }
  const note = (span: string, toMs: (lived: (typeof lives)[number]) => number): void =>
    findings.noteTimes(`real: ${span}`, lives.map(toMs));
  note("commit → frame", ({ one, life }) => life.frameAtMs - one.committedAtMs);
  note("frame → manifest", ({ life }) => life.manifestAtMs - life.frameAtMs);
  note("frame → script", ({ life }) => life.scriptAtMs - life.frameAtMs);
  note("request → script", ({ one, life }) => life.scriptAtMs - one.requestedAtMs);
}

async function claimBesideFloor(
  { database, client }: ClaimWorld,
  floor: NotifyFloor,
  pool: PrebuildPool,
  { name, rate }: { readonly name: string; readonly rate: ClaimRate },
  findings: Findings,
): Promise<readonly CommittedClaim[]> {
  const [made, rounds] = await besideFloor(floor, () =>
    beginAtRate(rate.perSecond, rate.claims, () => claim(client, pool)),
  );
  findings.noteTimes(`${name}: bare NOTIFY`, rounds.bare);
  findings.noteTimes(`${name}: row with NOTIFY`, rounds.committed);
  findings.noteTimes(
    `${name}: request → response`,
    made.map(({ requestedAtMs, respondedAtMs }) => respondedAtMs - requestedAtMs),
  );
  return readCommitTimes(database, made);
}

async function besideFloor<T>(
  floor: NotifyFloor,
  work: () => Promise<T>,
): Promise<readonly [T, NotifyRounds]> {
  const ending = new AbortController();
  const [done, rounds] = await Promise.allSettled([
    work().finally(() => ending.abort()),
    floor.measure(notifyEveryMs, ending.signal),
  ]);
  if (done.status === "rejected") throw done.reason;
  if (rounds.status === "rejected") throw rounds.reason;
  return [done.value, rounds.value];
}

/** The parts of a claim world that share the machine's processors. */
type Part = "the server" | "PostgreSQL" | "the agents" | "the requests";

/** Runs `work` and records the processor time of each part per claim. */
async function noteCosts<T>(
  world: ClaimWorld,
  {
    name,
    claims,
    findings,
  }: { readonly name: string; readonly claims: number; readonly findings: Findings },
  work: () => Promise<T>,
): Promise<T> {
  const before = readCpuSeconds(world);
  const result = await work();
  const after = readCpuSeconds(world);
  for (const [part, seconds] of after) {
    const usedMs = (seconds - (before.get(part) ?? 0)) * 1000;
    findings.note(`${name}: processor of ${part}, a claim`, "ms, processor", usedMs / claims);
  }
  return result;
}

function readCpuSeconds({ serverPid, database, fleets }: ClaimWorld): ReadonlyMap<Part, number> {
  const agents = fleets.map(({ pid }) => readProcessCost(pid).cpuSeconds);
  const { user, system } = process.cpuUsage();
  return new Map([
    ["the server", readProcessCost(serverPid).cpuSeconds],
    ["PostgreSQL", database.cpuSeconds()],
    ["the agents", agents.reduce((sum, seconds) => sum + seconds, 0)],
    ["the requests", (user + system) / 1e6],
  ]);
}
