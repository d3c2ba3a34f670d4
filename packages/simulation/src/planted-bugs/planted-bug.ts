import { ownRules, type Rules } from "../model/rules.ts";
import type { ProfileRequirements } from "../world/profile.ts";

/** A bug of released systems, planted into a correct world to show that the checks find it. */
export interface PlantedBug {
  readonly name: string;
  /** The bug, and the place in docs/protocol/prebuilds.md that describes it. */
  readonly summary: string;
  /** The invariants that the bug may violate. */
  readonly breaks: readonly string[];
  /** The worlds in which it shows. */
  readonly requires: ProfileRequirements;
  readonly rules: Rules;
  /** The seed of the first world in which tests look for it; earlier worlds do not show it (default: 1). */
  readonly firstSeed?: number;
}

/** Returns the product's own rules for the agents of a planted bug: its worlds without the bug. */
export function withoutBug({ rules }: PlantedBug): Rules {
  return { ...ownRules, agent: { ...ownRules.agent, kind: rules.agent.kind } };
}
