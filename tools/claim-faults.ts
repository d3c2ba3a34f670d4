import { parseArgs } from "node:util";

import { type ClaimFaultsOutcome, runClaimFaults } from "@slipway/simulation/claim-faults";

/*
 * Makes claims under load while servers, PostgreSQL, agents and the connections between them break, then judges every
 * workspace (docs/claims.md). Prints the faults and the outcome; fails on any violation.
 *
 *   npm run test:claim-faults [-- --claims 500] [--seed N] [--rate 1.5] [--servers 2] [--agents 80] [--every 600]
 *                                 [--stall 30] [--watch 75] [--keep]
 *
 * `--rate` is in claims per second, `--agents` is the maximum number running before claimed workspaces are deleted,
 * `--every` is the mean time between faults in milliseconds, `--stall` is the longest stall of a connection, and
 * `--watch` is the observation time once all is calm, both in seconds. The logs of a failure are kept; `--keep`
 * always keeps them.
 */

const { values } = parseArgs({
  options: {
    claims: { type: "string", default: "500" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rate: { type: "string", default: "1.5" },
    agents: { type: "string", default: "80" },
    every: { type: "string", default: "600" },
    stall: { type: "string", default: "30" },
    // Longer than the minute after which a server may notify an agent again.
    watch: { type: "string", default: "75" },
    keep: { type: "boolean", default: false },
    servers: { type: "string", default: "2" },
  },
});
const seed = Number(values.seed);
const count = Number(values.claims);
const rate = Number(values.rate);

process.stdout.write(`seed ${seed}\n`);
const outcome = await runClaimFaults({
  seed,
  claims: count,
  claimsPerSecond: rate,
  users: 8,
  servers: Number(values.servers),
  instances: 12,
  maxAgents: Number(values.agents),
  faultEveryMs: Number(values.every),
  maxStallMs: Number(values.stall) * 1000,
  claimsWithinMs: Math.ceil((count / rate) * 5_000) + 60_000,
  calmWithinMs: 180_000,
  watchMs: Number(values.watch) * 1000,
  keep: values.keep,
  onProgress: (line) => process.stdout.write(`${line}\n`),
});
process.stdout.write(reportOf(outcome));
process.exitCode = outcome.violations.length === 0 ? 0 : 1;

function reportOf(found: ClaimFaultsOutcome): string {
  const { violations, latencies } = found;
  const sorted = latencies.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const slowest = latencies.toSorted((a, b) => b.ms - a.ms).slice(0, 3);
  const at = (share: number): string =>
    `${(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(0)} ms`;
  const rows = [
    ["fault", "struck", "s in all", "s at most"],
    ...found.faults.map(({ kind, count: struck, totalMs, maxMs }) => [
      kind,
      String(struck),
      seconds(totalMs),
      seconds(maxMs),
    ]),
  ];
  const lines = [
    "",
    ...rows.map(([kind = "", ...numbers]) =>
      [kind.padEnd(48), ...numbers.map((text) => text.padStart(10))].join(""),
    ),
    "",
    `claims      ${found.claims}, and ${found.missed} that found the pool empty`,
    `answers     ${found.lostAnswers} lost, of which ${found.doneUnanswered} had succeeded`,
    `agents      ${found.agentStarts} processes`,
    `claim to owner's start script   median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)}`,
    ...slowest.map(({ workspaceId, ms }) => `  ${ms.toFixed(0)} ms: workspace ${workspaceId}`),
    `seconds     ${seconds(found.claimsMs)} claims, ${seconds(found.calmMs - found.claimsMs)} until calm, ${seconds(found.totalMs)} in total`,
    "",
    ...violations.map((violation) => `  ${violation}`),
    ...(violations.length > 0 || values.keep ? [`logs in ${found.directory}`] : []),
    violations.length === 0
      ? "PASS"
      : `FAIL: ${violations.length} violations; repeat with --seed ${seed}`,
  ];
  return `${lines.join("\n")}\n`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
