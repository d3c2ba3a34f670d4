import { parseArgs } from "node:util";

import { type HostileOutcome, type Interval, runHostile } from "@slipway/testkit";

/*
 * Runs one hostile agent and one hostile member on a real server at once, while a third user works: a line each minute,
 * at the end the counts that the server took and refused, and the verdict. Fails when that work took too long, memory
 * or disk grew, or the server broke.
 *
 *   npm run test:hostile [-- --minutes 60] [--every 60]
 *
 * `--every` is the time between two lines in seconds.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    every: { type: "string", default: "60" },
  },
});

const outcome = await runHostile({
  durationMs: Number(values.minutes) * 60_000,
  intervalMs: Number(values.every) * 1000,
  onInterval: (interval) => process.stdout.write(`${lineOf(interval)}\n`),
});
process.stdout.write(reportOf(outcome));
process.exitCode = outcome.violations.length === 0 ? 0 : 1;

function lineOf({
  atMs,
  p50Ms,
  p99Ms,
  requests,
  memoryBytes,
  diskBytes,
  tricks,
}: Interval): string {
  const played = tricks.reduce((sum, trick) => sum + trick.played, 0);
  const refused = tricks.reduce((sum, trick) => sum + trick.refused, 0);
  return [
    `${(atMs / 60_000).toFixed(1).padStart(5)} min`,
    `p50 ${p50Ms.toFixed(1).padStart(5)} ms`,
    `p99 ${p99Ms.toFixed(1).padStart(6)} ms`,
    `${String(requests).padStart(4)} requests`,
    `memory ${mebibytes(memoryBytes)}`,
    `disk ${mebibytes(diskBytes)}`,
    `${played} tricks, ${refused} refusals`,
  ].join("   ");
}

function reportOf({ intervals, violations, p50Ms, p99Ms }: HostileOutcome): string {
  const rows = [
    ["trick", "played", "taken", "refused"],
    ...(intervals.at(-1)?.tricks ?? []).map(({ name, played, taken, refused }) => {
      return [name, String(played), String(taken), String(refused)];
    }),
  ];
  const lines = [
    "",
    ...rows.map(([name = "", ...numbers]) =>
      [name.padEnd(40), ...numbers.map((text) => text.padStart(10))].join(""),
    ),
    "",
    `the bystander's requests   p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
    ...violations.map((violation) => `  ${violation}`),
    violations.length === 0 ? "PASS" : `FAIL: ${violations.length} violations`,
  ];
  return `${lines.join("\n")}\n`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0).padStart(5)} MiB`;
}
