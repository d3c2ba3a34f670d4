import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

import { plantedBugs, replay, type Subject } from "@slipway/simulation";

import { simulateBurst } from "./simulate/burst.ts";
import { search } from "./simulate/search.ts";

/*
 * Searches for worlds in which claims violate an invariant of docs/claims.md: servers, agents and users follow the
 * product's own decisions, while crashes, cuts, lost and repeated messages strike between any two steps.
 *
 *   npm run simulate -- [--seeds 10000] [--from 1] [--threads N] [--json]
 *   npm run simulate -- --seed 42                       runs one world again and prints its events
 *   npm run simulate -- --planted-bugs                  plants each known bug and prints the time to find it; then
 *                                                       runs its worlds without it
 *   npm run simulate -- --planted-bug NAME [--seed 42]  runs its worlds; with --without, without the bug
 *   npm run simulate -- --burst 10000 [--servers 3] [--over 0] [--kill] [--cores 4] [--shared] [--seed 1] [--json]
 *                                                       claims that arrive over some seconds, with the measured costs of
 *                                                       their steps; --kill kills a server in the middle; the database has
 *                                                       the cores, or all share them
 */

/** The number of worlds searched for a planted bug, with it until it is found, and without it. */
const seedsPerBug = 200;

const { values: flags } = parseArgs({
  options: {
    seeds: { type: "string", default: "10000" },
    from: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    "planted-bug": { type: "string" },
    "planted-bugs": { type: "boolean", default: false },
    without: { type: "boolean", default: false },
    burst: { type: "string" },
    servers: { type: "string", default: "3" },
    over: { type: "string", default: "0" },
    kill: { type: "boolean", default: false },
    cores: { type: "string", default: "4" },
    shared: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const bug = flags["planted-bug"];
const subject: Subject =
  bug === undefined ? { kind: "own" } : { kind: flags.without ? "without" : "bug", bug };

if (flags.burst !== undefined) await showBurst(flags.burst);
else if (flags.seed !== undefined) await show(subject, Number(flags.seed));
else if (flags["planted-bugs"]) await findPlantedBugs();
else await look();

async function show(shown: Subject, seed: number): Promise<void> {
  const { violation, lines } = await replay(shown, seed);
  for (const line of lines) say(line);
  say("", violation ?? "all invariants hold");
  if (violation !== undefined && shown.kind === "own") process.exitCode = 1;
}

async function showBurst(burst: string): Promise<void> {
  const { isWell, outcome } = await simulateBurst({ ...flags, burst });
  if (flags.json) say(JSON.stringify(outcome));
  else for (const [what, value] of Object.entries(outcome)) say(`${what}: ${value}`);
  if (!isWell) process.exitCode = 1;
}

async function look(): Promise<void> {
  const result = await searchFor(subject, Number(flags.seeds));
  const { found, seeds, steps, seconds } = result;
  if (flags.json) say(JSON.stringify(result));
  else say(`${seeds} worlds, ${steps} steps in ${seconds.toFixed(1)} s: ${rate(steps, seconds)}`);
  if (found === undefined) return say("all invariants hold");
  const again = bug === undefined ? "" : ` --planted-bug ${bug}`;
  say(
    `seed ${found.seed} breaks ${found.text}`,
    `again: npm run simulate -- --seed ${found.seed}${again}`,
  );
  await show(subject, found.seed);
}

async function findPlantedBugs(): Promise<void> {
  for (const { name, breaks, summary } of plantedBugs) {
    const planted = await searchFor({ kind: "bug", bug: name }, seedsPerBug);
    const without = await searchFor({ kind: "without", bug: name }, seedsPerBug);
    if (planted.found === undefined || without.found !== undefined) process.exitCode = 1;
    if (flags.json) {
      say(JSON.stringify({ name, breaks, planted, without }));
      continue;
    }
    const { found, seeds, seconds } = planted;
    say(
      `${name}: ${summary}`,
      found === undefined
        ? `  NOT FOUND in ${seeds} worlds`
        : `  found in ${seconds.toFixed(1)} s, ${seeds} worlds: seed ${found.seed} breaks ${found.text}`,
      without.found === undefined
        ? `  without it all holds in ${without.seeds} worlds`
        : `  WITHOUT IT seed ${without.found.seed} breaks ${without.found.text}`,
    );
  }
}

function searchFor(searched: Subject, seeds: number): ReturnType<typeof search> {
  let toldMs = performance.now();
  return search(searched, {
    from: Number(flags.from),
    seeds,
    threads: Number(flags.threads),
    onProgress: (done) => {
      if (performance.now() - toldMs < 2_000) return;
      toldMs = performance.now();
      process.stderr.write(`${done} of ${seeds} worlds\n`);
    },
  });
}

function rate(steps: number, seconds: number): string {
  return `${Math.round(steps / seconds)} steps a second`;
}

function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
