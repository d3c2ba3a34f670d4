/**
 * Adds up the results of a CI run's steps, lists the failed tests, and prints `N passed, N failed` as the last line. Each
 * argument is one step: `name:exit-code` for one without tests, `name:exit-code:report.json` for one with a Vitest
 * report.
 */
import { readFile } from "node:fs/promises";

import { addUp, countReport, countStep, listFailures, parseStep } from "./test-counts.ts";
import type { Counts } from "./test-counts.ts";

const all: Counts[] = [];
const failures: string[] = [];
for (const argument of process.argv.slice(2)) {
  const step = parseStep(argument);
  const report = step.reportPath === undefined ? undefined : await readReport(step.reportPath);
  const counts = countStep(step, report?.counts);
  failures.push(...(report?.failures ?? []));
  process.stdout.write(
    `${step.name}: exit ${step.exitCode}, ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`,
  );
  all.push(counts);
}

for (const failure of failures) process.stdout.write(`\n${failure}`);

const total = addUp(all);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
if (total.failed > 0 || all.length === 0) process.exitCode = 1;

interface Report {
  readonly counts: Counts;
  readonly failures: readonly string[];
}

/** Returns undefined for a missing or malformed report. */
async function readReport(path: string): Promise<Report | undefined> {
  try {
    const report: unknown = JSON.parse(await readFile(path, "utf8"));
    return { counts: countReport(report), failures: listFailures(report) };
  } catch (error) {
    process.stdout.write(`${path}: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}
