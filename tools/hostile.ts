import { parseArgs } from "node:util";

import {
  type CastName,
  castNames,
  type HostileOutcome,
  type Interval,
  runHostile,
} from "@slipway/testkit";

/*
 * Lets attackers play on a real server while a member and their agent work: first each group alone for a minute
 * (agents, members, strangers and relay clients), then all groups together for an hour. Prints a line for each
 * interval, the number of tricks that the server accepted and refused, and the verdict of each run. Fails when the
 * work took too long, the agent was lost, memory or disk grew, or the server broke.
 *
 *   npm run test:hostile [-- --minutes 60] [--each 1] [--only strangers] [--every 60]
 *
 * `--minutes` is the time for all groups together, `--each` for each alone; 0 skips a part. `--only` plays one group.
 * `--every` is the time between two lines in seconds.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    each: { type: "string", default: "1" },
    only: { type: "string" },
    every: { type: "string", default: "60" },
  },
});

const groups = castNames.filter((name) => values.only === undefined || name === values.only);
if (groups.length === 0) {
  throw new Error(`--only is ${String(values.only)}, wanted one of ${castNames.join(", ")}`);
}
const intervalMs = Number(values.every) * 1000;
for (const cast of groups) await run(cast, [cast], Number(values.each));
if (groups.length > 1) await run("all at once", groups, Number(values.minutes));

async function run(title: string, casts: readonly CastName[], minutes: number): Promise<void> {
  if (minutes === 0) return;
  process.stdout.write(`\n${title}\n`);
  const outcome = await runHostile({
    casts,
    durationMs: minutes * 60_000,
    intervalMs,
    onInterval: (interval) => process.stdout.write(`${lineOf(interval)}\n`),
  });
  process.stdout.write(reportOf(outcome));
  if (outcome.violations.length > 0) process.exitCode = 1;
}

function lineOf(interval: Interval): string {
  const { atMs, p50Ms, p99Ms, worstMs, longestTurnMs, requests } = interval;
  const { memoryBytes, diskBytes, tricks } = interval;
  const played = tricks.reduce((sum, trick) => sum + trick.played, 0);
  const refused = tricks.reduce((sum, trick) => sum + trick.refused, 0);
  return [
    `${(atMs / 60_000).toFixed(1).padStart(5)} min`,
    `p50 ${p50Ms.toFixed(1).padStart(5)} ms`,
    `p99 ${p99Ms.toFixed(1).padStart(6)} ms`,
    `worst ${worstMs.toFixed(0).padStart(5)} ms`,
    `${String(requests).padStart(4)} requests`,
    `longest turn ${longestTurnMs.toFixed(1).padStart(6)} ms`,
    `memory ${mebibytes(memoryBytes)}`,
    `disk ${mebibytes(diskBytes)}`,
    `${played} tricks, ${refused} refusals`,
  ].join("   ");
}

function reportOf({ intervals, violations, p50Ms, p99Ms, worstMs }: HostileOutcome): string {
  const rows = [
    ["trick", "played", "taken", "refused", "longest turn, ms"],
    ...(intervals.at(-1)?.tricks ?? []).map(({ name, played, taken, refused, longestTurnMs }) => {
      return [name, String(played), String(taken), String(refused), longestTurnMs.toFixed(1)];
    }),
  ];
  const lines = [
    "",
    ...rows.map(([name = "", ...columns]) =>
      [name.padEnd(44), ...columns.map((text) => text.padStart(10))].join(""),
    ),
    "",
    `the bystander's requests   p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms, worst ${worstMs.toFixed(0)} ms`,
    ...violations.map((violation) => `  ${violation}`),
    violations.length === 0 ? "PASS" : `FAIL: ${violations.length} violations`,
  ];
  return `${lines.join("\n")}\n`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0).padStart(5)} MiB`;
}
