import { loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

import { buildAgent } from "@slipway/testkit";

import { printReport } from "./report.ts";
import { openClaimWorld, refill } from "./support/claim-world.ts";
import { Findings } from "./support/findings.ts";
import { type ClaimRate, measureRate, measureReal, settleMs } from "./support/measure-claims.ts";
import { measureReconnect, measureStatements } from "./support/measure-statements.ts";
import { openNotifyFloor } from "./support/notify-floor.ts";
import { openWaitingFleet } from "./support/open-waiting-fleet.ts";
import { openPool } from "./support/prebuild-pool.ts";
import { noteScript } from "./support/real-agents.ts";

/*
 * The time that a claim of a prebuild takes while a thousand wait with their agents connected, at several rates: from
 * the request to its response; from the commit (as PostgreSQL stamps it, before it flushes it to disk) and from the
 * response to the frame on the agent's stream, which may be there before the response; from there to the manifest of
 * the new owner, and from the request to the moment when the owner's start scripts run. Most agents are the product's
 * own without scripts, many in a process; some are real ones in processes of their own, whose start script notes the
 * time. A NOTIFY round trip, bare and with a committed row, measured beside each of them, is the floor. The processor
 * time of a claim is that of each part, until its agent would run the scripts. Then the statements that the database
 * gets for a claim, as pg_stat_statements counts them, less those of an idle server; and how reinit streams that are cut
 * at once come back. Pools are filled between the measurements only. `--statements` lists each statement with its calls
 * and milliseconds a claim.
 *
 *   npm run bench:claims [-- --agents=1000] [--real=20] [--streams=5000] [--runs=3]
 *     [--rates=1,20,60,100] [--statements] [--json]
 *
 * Everything shares the machine, so that at times each step waits for the processor: compare with the floor, and see the
 * load. Ends with 1 when the median of the runs misses a target.
 */

const warmUp: ClaimRate = { perSecond: 20, claims: 100 };
const allRates: readonly ClaimRate[] = [
  { perSecond: 1, claims: 20 },
  { perSecond: 20, claims: 200 },
  { perSecond: 60, claims: 300 },
  { perSecond: 100, claims: 500 },
];

/** The project's targets, in milliseconds; the last two are what a stock server and agent need. */
const targets: Readonly<Record<string, number>> = {
  "request → response, p50": 20,
  "request → response, p99": 100,
  "commit → frame, p50": 5,
  "commit → frame, p99": 50,
  "real: frame → manifest, p50": 180,
  "real: frame → script, p50": 230,
};

function option(name: string, otherwise: number): number {
  return Number(new RegExp(`--${name}=(\\d+)`).exec(process.argv.join(" "))?.[1] ?? otherwise);
}

const agents = option("agents", 1000);
const real = option("real", 20);
const streams = option("streams", 5000);
const runs = option("runs", 3);
const asked = /--rates=([\d,]+)/.exec(process.argv.join(" "))?.[1]?.split(",").map(Number);
const rates = allRates.filter(({ perSecond }) => asked?.includes(perSecond) ?? true);

function within({ perSecond, claims }: ClaimRate): ClaimRate {
  return { perSecond, claims: Math.min(claims, agents) };
}

/** The largest pool that a preset may ask for. */
const maxPool = 1_000;

function poolSizes(count: number): readonly number[] {
  return count <= 0 ? [] : [Math.min(count, maxPool), ...poolSizes(count - maxPool)];
}

await buildAgent();
await using opened = new AsyncDisposableStack();
const world = await openClaimWorld(opened);
const open = (name: string, instances: number) =>
  openPool(world.client, world.database, { name, instances, startScript: noteScript });
const pool = await open("simulated", agents);
const floor = await openNotifyFloor(world.database);
const findings = new Findings();

await refill(world, pool);
await measureRate(world, floor, pool, within(warmUp), new Findings());
await refill(world, pool);
if (real > 0) await measureReal(world, floor, await open("real", real), findings);
for (let run = 0; run < runs; run += 1) {
  for (const rate of rates) {
    await refill(world, pool);
    await pause(settleMs);
    await measureRate(world, floor, pool, within(rate), findings);
    findings.note(`${rate.perSecond}/s: machine`, "load", loadavg()[0] ?? Number.NaN);
  }
}
await refill(world, pool);
const statements = await measureStatements(world, pool, findings);
if (process.argv.includes("--statements")) {
  for (const { text, calls, ms } of statements) {
    const line = text.replaceAll(/\s+/g, " ").slice(0, 160);
    process.stdout.write(
      `${calls.toFixed(2).padStart(6)}  ${ms.toFixed(3).padStart(7)} ms  ${line}\n`,
    );
  }
}

await refill(world, pool);
const order = { kind: "streams", serverUrl: world.client.serverUrl } as const;
const streamFleet = openWaitingFleet(opened, order, () => undefined);
for (const [index, size] of poolSizes(streams - agents).entries()) {
  const prebuilds = await (await open(`streams-${index}`, size)).fill();
  await streamFleet.join(prebuilds.map(({ token }) => token));
}
for (let run = 0; run < runs; run += 1) {
  await measureReconnect(world, [...world.fleets, streamFleet], findings);
}

const { measurements, missed } = findings.against(targets);
printReport(`Claims, ${agents} agents waiting`, measurements);
if (missed.length > 0) process.exitCode = 1;
