import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { checkInput } from "./fuzz-codecs/fuzz-loop.ts";
import { keep, readKept } from "./fuzz-codecs/kept-inputs.ts";
import { supervise, type SupervisedRun } from "./fuzz-codecs/supervise.ts";
import type { FuzzTarget } from "./fuzz-codecs/target.ts";
import { findTarget, targets } from "./fuzz-codecs/targets.ts";

/*
 * Feeds every codec and parser of outside bytes with inputs derived from valid ones, guided by the code that they
 * reach, and fails on the first input that breaks a promise: an error other than the codec's own, different results
 * with different chunk boundaries, too much time or memory.
 *
 *   npm run fuzz:codecs -- [--seconds 60] [--only NAME,NAME] [--seed N] [--kept FOLDER] [--json]
 *   npm run fuzz:codecs -- --only NAME --input HEX|@FILE       tries one input
 *
 * `--kept` starts with the inputs of earlier runs and adds to them.
 */

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    only: { type: "string" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
    input: { type: "string" },
    kept: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const chosen = flags.only === undefined ? targets : flags.only.split(",").map(findTarget);

if (flags.input !== undefined) await tryInput(chosen, flags.input);
else for (const target of chosen) if (!(await run(target))) process.exitCode = 1;

async function tryInput(tried: readonly FuzzTarget[], text: string): Promise<void> {
  const input = text.startsWith("@") ? await readFile(text.slice(1)) : Buffer.from(text, "hex");
  for (const target of tried) {
    await checkInput(target, new Uint8Array(input));
    process.stdout.write(`${target.name}: all promises hold\n`);
  }
}

async function run(target: FuzzTarget): Promise<boolean> {
  const folder = flags.kept === undefined ? undefined : join(flags.kept, target.name);
  const seed = Number(flags.seed);
  const supervised = await supervise(target, {
    seed,
    seconds: Number(flags.seconds),
    earlier: folder === undefined ? [] : await readKept(folder),
  });
  const { outcome, maxRssBytes, seconds } = supervised;
  if (folder !== undefined && outcome.kind === "report") await keep(folder, outcome.report.corpus);
  const finding = findingOf(supervised);
  const numbers = {
    target: target.name,
    seed,
    seconds: Math.round(seconds),
    executions: outcome.kind === "report" ? outcome.report.executions : 0,
    kept: outcome.kind === "report" ? outcome.report.corpus.length : 0,
    reached: outcome.kind === "report" ? outcome.report.reachedCharacters : 0,
    maxRssMb: Math.round(maxRssBytes / 2 ** 20),
    finding: finding?.kind ?? "none",
  };
  process.stdout.write(flags.json ? `${JSON.stringify(numbers)}\n` : `${lineOf(numbers)}\n`);
  if (finding === undefined) return true;
  process.stdout.write(`${finding.text}\n`);
  const hex = Buffer.from(finding.input).toString("hex");
  process.stdout.write(
    `again with: npm run fuzz:codecs -- --only ${target.name} --input ${hex === "" ? "''" : hex}\n`,
  );
  return false;
}

function findingOf({ outcome }: SupervisedRun): FindingText | undefined {
  return outcome.kind === "report" ? outcome.report.finding : outcome;
}

interface FindingText {
  readonly kind: string;
  readonly input: Uint8Array;
  readonly text: string;
}

function lineOf(numbers: Readonly<Record<string, string | number>>): string {
  const perSecond = Math.round(Number(numbers["executions"]) / Number(numbers["seconds"]));
  return (
    `${String(numbers["target"]).padEnd(14)} ${numbers["executions"]} inputs, ${perSecond} a second; ` +
    `${numbers["kept"]} kept, ${numbers["reached"]} characters of code reached; ` +
    `${numbers["maxRssMb"]} MB at most; seed ${numbers["seed"]}; finding: ${numbers["finding"]}`
  );
}
