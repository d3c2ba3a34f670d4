import { isDeepStrictEqual } from "node:util";

import { Random } from "@slipway/testkit/random";

import { Author } from "./author.ts";
import { differences } from "./differences.ts";
import type { Beginning, HistoryWorld } from "./history-world.ts";
import { ModelWorld } from "./model-world.ts";
import type { Snapshot } from "./snapshot.ts";
import { SqlWorld } from "./sql-world.ts";
import type { TimedStep } from "./step.ts";

export interface PlayedHistory {
  readonly beginning: Beginning;
  readonly steps: readonly TimedStep[];
  /**
   * The differences between the model and PostgreSQL after the last step, one per line; empty if they always agreed.
   */
  readonly differences: readonly string[];
}

/** The number of steps of one history. */
const length = 60;

/**
 * Plays the same events in the simulation's model and, with the production statements, in a migrated PostgreSQL, and
 * compares their state after each step, up to the first difference. A seed determines one history.
 */
export async function playHistory(url: string, seed: number): Promise<PlayedHistory> {
  const random = new Random(seed);
  const beginning = begin(random);
  await using model = await ModelWorld.open(beginning);
  await using sql = await SqlWorld.open(url, beginning);
  const author = new Author(random, beginning);
  const steps: TimedStep[] = [];
  let now = await model.read(0);
  while (steps.length < length) {
    const timed = author.next(now);
    steps.push(timed);
    const turn = steps.length;
    const [ofModel, ofSql] = [await happen(model, timed, turn), await happen(sql, timed, turn)];
    if (!isDeepStrictEqual(ofModel, ofSql)) {
      return { beginning, steps, differences: differences(ofModel, ofSql) };
    }
    author.note(timed.step, ofModel.answer);
    now = ofModel.snapshot;
  }
  return { beginning, steps, differences: [] };
}

async function happen(
  world: HistoryWorld,
  { afterMs, step }: TimedStep,
  turn: number,
): Promise<{ readonly answer: string; readonly snapshot: Snapshot }> {
  await world.pass(afterMs);
  const answer = await world.take(step);
  return { answer, snapshot: await world.read(turn) };
}

function begin(random: Random): Beginning {
  return {
    driver: random.pick(["external", "manual", "process"]) ?? "external",
    agentNames: random.chance(0.5) ? ["main"] : ["main", "second"],
    instances: 1 + random.below(3),
    expireAfterSeconds: random.chance(0.3) ? 60 + random.below(120) : 0,
  };
}
