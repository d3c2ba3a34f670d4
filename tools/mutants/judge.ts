import { openOwnPostgres } from "@slipway/testkit/postgres";

import { type Mutant, type Suite, suiteKey } from "./mutant.ts";
import { runSuite, type SuiteOptions, type SuiteOutcome } from "./run-suite.ts";
import { openScratchTree } from "./scratch-tree.ts";

/** The result of a mutant, or of a suite without mutants. */
export interface Verdict {
  readonly subject: { readonly mutant: Mutant } | { readonly suite: Suite };
  readonly outcome: SuiteOutcome;
  readonly seconds: number;
}

interface JudgeOptions {
  readonly checkout: string;
  /** The number of mutants tried concurrently. */
  readonly jobs: number;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly onVerdict: (verdict: Verdict) => void;
}

/**
 * Runs each suite on the unmodified code, and again with each of its mutants. A suite that fails without a mutant
 * says nothing about its mutants, so they are left out.
 */
export async function judge(mutants: readonly Mutant[], options: JudgeOptions): Promise<void> {
  const suites = [...Map.groupBy(mutants, ({ suite }) => suiteKey(suite)).values()];
  const queue = suites.flatMap((ofSuite) => (ofSuite[0] === undefined ? [] : [ofSuite]));
  const count = Math.min(options.jobs, queue.length);
  await Promise.all(Array.from({ length: count }, () => judgeSuites(queue, options)));
}

/** Takes suites off the queue, with a separate tree and PostgreSQL. */
async function judgeSuites(queue: (readonly Mutant[])[], options: JudgeOptions): Promise<void> {
  const { checkout, limitMs, signal } = options;
  await using tree = await openScratchTree(checkout);
  await using postgres = await openOwnPostgres();
  const suiteOptions = { root: tree.root, postgresUrl: postgres.url, limitMs, signal };
  for (let mutants = queue.shift(); mutants !== undefined; mutants = queue.shift()) {
    const [{ suite } = { suite: undefined }] = mutants;
    if (suite === undefined) continue;
    const healthy = await timed({ suite }, suite, suiteOptions);
    options.onVerdict(healthy);
    if (healthy.outcome.type !== "passed") continue;
    for (const mutant of mutants) {
      await using _ = await tree.plant(mutant);
      options.onVerdict(await timed({ mutant }, suite, suiteOptions));
    }
  }
}

async function timed(
  subject: Verdict["subject"],
  suite: Suite,
  options: SuiteOptions,
): Promise<Verdict> {
  const startedMs = performance.now();
  const outcome = await runSuite(suite, options);
  return { subject, outcome, seconds: (performance.now() - startedMs) / 1000 };
}
