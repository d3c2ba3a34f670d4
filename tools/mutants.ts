import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { judge, type Verdict } from "./mutants/judge.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { textOf } from "./mutants/report.ts";
import { mutantSets } from "./mutants/sets.ts";

/*
 * Plants small bugs, one at a time, in a copy of the tree, and prints the test that finds each and the time in
 * seconds. Fails when one survives.
 *
 *   npm run mutants -- --set claims [--only NAME]... [--jobs 1] [--limit 60] [--json]
 *   npm run mutants -- --list
 *
 * `--limit` is the time limit of a suite for one mutant, in seconds.
 */

const { values: flags } = parseArgs({
  options: {
    set: { type: "string" },
    only: { type: "string", multiple: true },
    jobs: { type: "string", default: "1" },
    limit: { type: "string", default: "60" },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const mutants = choose();
if (flags.list) for (const mutant of mutants) say(`${mutant.name}: ${mutant.breaks}`);
else await run();

function choose(): readonly Mutant[] {
  const sets = [...mutantSets.keys()].join(", ");
  const set = flags.set === undefined ? [...mutantSets.values()].flat() : mutantSets.get(flags.set);
  if (set === undefined) throw new RangeError(`no set ${flags.set}, wanted one of ${sets}`);
  const unknown = flags.only?.find((name) => !set.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new RangeError(`no mutant ${unknown}: --list shows all`);
  return set.filter(({ name }) => flags.only?.includes(name) ?? true);
}

async function run(): Promise<void> {
  const verdicts: Verdict[] = [];
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort(new Error("interrupted")));
  try {
    await judge(mutants, {
      checkout: fileURLToPath(new URL("..", import.meta.url)),
      jobs: Number(flags.jobs),
      limitMs: Number(flags.limit) * 1000,
      signal: interrupted.signal,
      onVerdict: (verdict) => {
        verdicts.push(verdict);
        say(flags.json ? JSON.stringify(verdict) : textOf(verdict));
      },
    });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  }
  const found = verdicts.filter(
    ({ subject, outcome }) => "mutant" in subject && outcome.type === "failed",
  );
  process.stderr.write(`found ${found.length} of ${mutants.length} mutants\n`);
  if (found.length < mutants.length) process.exitCode = interrupted.signal.aborted ? 130 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
