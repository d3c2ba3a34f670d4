import { loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

import { buildAgent } from "@slipway/testkit";

import { defineBenchmark } from "./benchmark.ts";
import { Findings } from "./findings.ts";
import { openClaimWorld, refill } from "./support/claim-world.ts";
import {
  type ClaimRate,
  measureBurst,
  measureRate,
  measureReal,
  settleMs,
} from "./support/measure-claims.ts";
import { measureReconnect, measureStatements } from "./support/measure-statements.ts";
import type { StatementCalls } from "./support/measured-postgres.ts";
import { openNotifyFloor } from "./support/notify-floor.ts";
import { openPart } from "./support/part.ts";
import { openPool } from "./support/prebuild-pool.ts";
import { noteScript } from "./support/real-agents.ts";
import type { WaitingFleet } from "./support/waiting-fleet.ts";

/*
 * The duration of a prebuild's claim while a thousand prebuilds wait with connected agents, at several rates: from
 * the request to its response; from the commit (as timestamped by PostgreSQL before the flush to disk) and from the
 * response to the frame on the agent's stream, which may arrive before the response; from there to the manifest of
 * the new owner, and from the request to the moment when the owner's start scripts run. Most agents are the product's
 * own without scripts, many per process; some are real ones in separate processes, whose start script records the
 * time. The floor is a NOTIFY round trip, bare and with a committed row, measured next to each of them. The processor
 * time of a claim is that of each part, until its agent would run the scripts. The next measurements are the
 * statements that the database receives for a claim, as counted by pg_stat_statements, minus those of an idle server,
 * and how reinit streams that are all cut together come back. Pools are filled between the measurements only.
 * `--statements` lists each statement with its calls and milliseconds per claim; `--burst` requests that many claims
 * together.
 *
 *   npm run bench:claims [-- --agents=1000] [--real=20] [--streams=5000] [--runs=3]
 *     [--rates=1,20,60,100] [--statements] [--burst=1000] [--json]
 *
 * Everything shares the machine, so that at times each step waits for the processor: compare with the floor, and see
 * the load. Exits with 1 when the median of the runs misses a target.
 */

const warmUp: ClaimRate = { perSecond: 20, claims: 100 };
const allRates: readonly ClaimRate[] = [
  { perSecond: 1, claims: 20 },
  { perSecond: 20, claims: 200 },
  { perSecond: 60, claims: 300 },
  { perSecond: 100, claims: 500 },
];

/** The largest pool that a preset may request. */
const maxPool = 1_000;

export const benchmark = defineBenchmark({
  title: ({ agents }) => `Claims, ${agents} agents waiting`,
  options: {
    agents: 1_000,
    real: 20,
    streams: 5_000,
    runs: 3,
    rates: "1,20,60,100",
    statements: false,
    burst: 0,
  },
  // In milliseconds; the last two are the times of a stock server and agent.
  targets: {
    "request → response, p50": 20,
    "request → response, p99": 100,
    "commit → frame, p50": 5,
    "commit → frame, p99": 50,
    "real: frame → manifest, p50": 180,
    "real: frame → script, p50": 230,
  },
  measure: async ({ options, opened, findings }) => {
    const { agents, real, streams, runs } = options;
    const chosen = new Set(options.rates.split(",").map(Number));
    const rates = allRates.filter(({ perSecond }) => chosen.has(perSecond));
    const within = ({ perSecond, claims }: ClaimRate): ClaimRate => ({
      perSecond,
      claims: Math.min(claims, agents),
    });
    await buildAgent();
    const world = await openClaimWorld(opened);
    const { client, database } = world;
    const open = (name: string, instances: number) =>
      openPool(client, database, { name, instances, startScript: noteScript });
    const pool = await open("simulated", agents);
    const floor = await openNotifyFloor(database);

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
    if (options.burst > 0) {
      await refill(world, pool);
      await measureBurst(world, pool, Math.min(options.burst, agents), findings);
    }
    await refill(world, pool);
    const statements = await measureStatements(world, pool, findings);
    if (options.statements) printStatements(statements);

    await refill(world, pool);
    const args = [client.serverUrl, "streams"];
    const waiting = openPart<WaitingFleet>(opened, "./waiting-fleet.ts", { args });
    for (const [index, size] of poolSizes(streams - agents).entries()) {
      const prebuilds = await (await open(`streams-${index}`, size)).fill();
      await waiting.call(
        "join",
        prebuilds.map(({ token }) => token),
      );
    }
    for (let run = 0; run < runs; run += 1) {
      await measureReconnect(world, [...world.fleets, waiting], findings);
    }
  },
});

function poolSizes(count: number): readonly number[] {
  return count <= 0 ? [] : [Math.min(count, maxPool), ...poolSizes(count - maxPool)];
}

function printStatements(statements: readonly StatementCalls[]): void {
  for (const { text, calls, ms } of statements) {
    const line = text.replaceAll(/\s+/g, " ").slice(0, 160);
    process.stdout.write(
      `${calls.toFixed(2).padStart(6)}  ${ms.toFixed(3).padStart(7)} ms  ${line}\n`,
    );
  }
}
