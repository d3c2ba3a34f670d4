import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

import { type PlayedHistory, searchHistories } from "@slipway/simulation/claim-histories";
import { openOwnPostgres } from "@slipway/testkit/postgres";

/*
 * Plays random histories of builds, claims and agents in the simulation's model and, with the production statements,
 * in a separate PostgreSQL, and compares their states after each step. Fails on a difference.
 *
 *   npm run test:claim-histories -- [--histories 1000] [--from 1] [--jobs N] [--json]
 *   npm run test:claim-histories -- --seed 42     plays one history again and prints its steps
 */

const { values: flags } = parseArgs({
  options: {
    histories: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

await using postgres = await openOwnPostgres();
const startedMs = performance.now();
let played = 0;
const result = await searchHistories(postgres.url, {
  from: Number(flags.seed ?? flags.from),
  count: flags.seed === undefined ? Number(flags.histories) : 1,
  jobs: Number(flags.jobs),
  onHistory: () => {
    played += 1;
    if (played % 100 === 0) process.stderr.write(`${played} histories\n`);
  },
});
const seconds = (performance.now() - startedMs) / 1000;
if (flags.json) say(JSON.stringify({ ...result, seconds }));
else report();
if (result.found.length > 0) process.exitCode = 1;

function report(): void {
  const { histories, steps, found } = result;
  say(`${histories} histories, ${steps} steps in ${seconds.toFixed(1)} s`);
  for (const { seed, history } of found.slice(0, 10)) {
    say(`seed ${seed}, after ${history.steps.length} steps:`);
    if (flags.seed !== undefined) tell(history);
    for (const line of history.differences.slice(0, 10)) say(`  ${line}`);
  }
  say(found.length === 0 ? "the model and PostgreSQL agree" : `${found.length} histories differ`);
}

function tell({ beginning, steps }: PlayedHistory): void {
  say(`  begins with ${JSON.stringify(beginning)}`);
  for (const { afterMs, step } of steps) {
    const { type, ...more } = step;
    say(`  ${String(afterMs).padStart(6)} ms  ${type.padEnd(10)} ${JSON.stringify(more)}`);
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
