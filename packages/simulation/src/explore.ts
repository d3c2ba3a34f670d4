import { ownRules } from "./model/rules.ts";
import { type PlantedBug, withoutBug } from "./planted-bugs/planted-bug.ts";
import { plantedBugs } from "./planted-bugs/planted-bugs.ts";
import { runWorld } from "./run-world.ts";
import type { Violation } from "./world/monitor.ts";
import { profileOf } from "./world/profile.ts";

/**
 * The rules of worlds: the product's own; a planted bug's; or the product's in the worlds of that bug, to show that
 * the bug is what is found.
 */
export type Subject =
  | { readonly kind: "own" }
  | { readonly kind: "bug" | "without"; readonly bug: string };

export interface Exploration {
  readonly seeds: number;
  readonly steps: number;
  /** The first seed whose world violated an invariant. */
  readonly found: { readonly seed: number; readonly text: string } | undefined;
}

interface ExploreOptions {
  readonly from: number;
  readonly count: number;
  /** Reports whether to stop; checked after each world. */
  readonly isOver?: () => boolean;
  readonly onWorld?: (steps: number) => void;
}

/**
 * Runs the worlds of seeds, one after another, up to the first violation; for a planted bug, up to the first that it
 * causes.
 */
export async function explore(subject: Subject, options: ExploreOptions): Promise<Exploration> {
  const { from, count, isOver = () => false, onWorld = () => undefined } = options;
  let steps = 0;
  let seeds = 0;
  for (let seed = from; seed < from + count && !isOver(); seed += 1) {
    const { world, violation } = await runSeed(subject, seed, false);
    const { steps: taken } = world.setting.scheduler;
    seeds += 1;
    steps += taken;
    onWorld(taken);
    if (violation === undefined || !counts(subject, violation)) continue;
    return { seeds, steps, found: { seed, text: describe(violation) } };
  }
  return { seeds, steps, found: undefined };
}

export interface Replay {
  /** The invariant and its violation; undefined if all hold. */
  readonly violation: string | undefined;
  /** The events of the workspace in question, or of all, one line per step. */
  readonly lines: readonly string[];
  readonly hash: string;
}

/** Runs the world of a seed again and returns its events. */
export async function replay(subject: Subject, seed: number): Promise<Replay> {
  const { world, violation } = await runSeed(subject, seed, true);
  const { trace } = world.setting;
  return {
    violation: violation && describe(violation),
    lines: [...trace.render(violation?.workspaceId)],
    hash: trace.hash,
  };
}

function runSeed(subject: Subject, seed: number, isTraced: boolean): ReturnType<typeof runWorld> {
  if (subject.kind !== "own") {
    const bug = findBug(subject.bug);
    const rules = subject.kind === "bug" ? bug.rules : withoutBug(bug);
    return runWorld({ seed, profile: profileOf(seed, bug.requires), rules, isTraced });
  }
  const profile = profileOf(seed);
  const agent = { ...ownRules.agent, kind: profile.agentKind };
  return runWorld({ seed, profile, rules: { ...ownRules, agent }, isTraced });
}

/** Reports whether a violation counts. One bug leads to others; a planted one is found by its known violations. */
function counts(subject: Subject, { invariant }: Violation): boolean {
  return subject.kind !== "bug" || findBug(subject.bug).breaks.includes(invariant);
}

function findBug(name: string): PlantedBug {
  const found = plantedBugs.find((bug) => bug.name === name);
  if (found === undefined) {
    const names = plantedBugs.map((bug) => bug.name).join(", ");
    throw new RangeError(`unknown planted bug ${name}, wanted one of ${names}`);
  }
  return found;
}

function describe({ invariant, message }: Violation): string {
  return `${invariant}: ${message}`;
}
