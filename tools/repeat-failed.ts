/**
 * Runs the failed files of a suite once more and counts them in place of their first run: two suites at once make a small
 * machine slow, and what is not at fault passes alone. The argument is the suite's script, whose report is that of its
 * last run. Fails if a test fails again, or if so many files failed that the machine cannot be the reason.
 */
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";

import { failedFiles, listFailures, mergeReports } from "./test-counts.ts";

const maxFiles = 6;

const [script] = process.argv.slice(2);
if (script === undefined) throw new Error("wanted the script of a suite, such as test:web");
const path = `.reports/${script.replaceAll(":", "-")}.json`;

const first = await readReport();
const files = failedFiles(first);
if (files.length === 0 || files.length > maxFiles) {
  process.stdout.write(`${files.length} files failed, and are not run again\n`);
  process.exitCode = 1;
} else {
  for (const failure of listFailures(first)) process.stdout.write(`failed at first: ${failure}\n`);
  const { status } = spawnSync("npm", ["run", script, "--", ...files], { stdio: "inherit" });
  const merged = mergeReports(first, await readReport());
  await writeFile(path, JSON.stringify(merged));
  if (status !== 0 || failedFiles(merged).length > 0) process.exitCode = 1;
}

async function readReport(): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8").catch(() => "{}"));
}
