import { ownRules, type Rules } from "../model/rules.ts";
import type { Wants } from "../world/profile.ts";

/** A fault that released systems have, put into a world that has none, to see that the checks find it. */
export interface Plant {
  readonly name: string;
  /** The fault, and the place in docs/protocol/prebuilds.md that describes it. */
  readonly summary: string;
  /** The invariants of which one no longer holds. */
  readonly breaks: readonly string[];
  /** The worlds in which it shows. */
  readonly wants: Wants;
  readonly rules: Rules;
}

/** Returns the product's own rules for the agents of a plant: its worlds without the fault. */
export function withoutFault({ rules }: Plant): Rules {
  return { ...ownRules, agent: { ...ownRules.agent, kind: rules.agent.kind } };
}
