import { agent } from "./agent.ts";
import { authorization } from "./authorization.ts";
import { claims } from "./claims.ts";
import { guards } from "./guards.ts";
import type { Mutant } from "./mutant.ts";
import { network } from "./network.ts";
import { repeats } from "./repeats.ts";
import { sessions } from "./sessions.ts";

/** The mutants by the part of the product that they break. */
export const mutantSets: ReadonlyMap<string, readonly Mutant[]> = new Map([
  ["agent", agent],
  ["authorization", authorization],
  ["claims", claims],
  ["guards", guards],
  ["repeats", repeats],
  ["sessions", sessions],
  ["network", network],
]);
