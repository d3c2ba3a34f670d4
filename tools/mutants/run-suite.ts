import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Suite } from "./mutant.ts";

export type SuiteOutcome =
  | { readonly type: "passed" }
  /** The first test that failed, as `file: name`. */
  | { readonly type: "failed"; readonly test: string }
  | { readonly type: "timed-out" }
  /** No test failed, but the suite did: a file that does not load proves nothing. */
  | { readonly type: "broken"; readonly output: string };

export interface SuiteOptions {
  /** The root of the tree under test. */
  readonly root: string;
  readonly postgresUrl: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** Runs a suite up to the first test that fails. */
export async function runSuite(suite: Suite, options: SuiteOptions): Promise<SuiteOutcome> {
  const { root, signal, limitMs } = options;
  const report = join(root, ".mutant-report.json");
  await rm(report, { force: true });
  const { child, output } = startVitest(suite, report, options);
  const limit = AbortSignal.timeout(limitMs);
  const kill = (): void => killGroup(child.pid);
  const ended = AbortSignal.any([limit, signal]);
  ended.addEventListener("abort", kill, { once: true });
  const [code] = await once(child, "close");
  ended.removeEventListener("abort", kill);
  signal.throwIfAborted();
  if (code === 0) return { type: "passed" };
  if (limit.aborted) return { type: "timed-out" };
  const test = await firstFailure(report, root);
  return test === undefined ? { type: "broken", output: output() } : { type: "failed", test };
}

function startVitest({ project, files }: Suite, report: string, options: SuiteOptions) {
  const { root, postgresUrl } = options;
  const program = join(root, "node_modules/vitest/vitest.mjs");
  const flags = ["--bail=1", "--reporter=json", `--outputFile=${report}`];
  const child = spawn(
    process.execPath,
    [program, "run", "--project", project, ...flags, ...files],
    {
      cwd: root,
      env: { ...process.env, SLIPWAY_TEST_POSTGRES_URL: postgresUrl, NO_COLOR: "1" },
      // The suite runs in its own process group, which is killed as a whole.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  }
  return { child, output: () => chunks.join("") };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has exited by itself.
  }
}

/** The relevant part of vitest's JSON report. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

async function firstFailure(path: string, root: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- vitest writes it
  const report = JSON.parse(text) as Report;
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    if (failed !== undefined) return `${name.replace(`${root}/`, "")}: ${failed.fullName.trim()}`;
  }
  return undefined;
}
