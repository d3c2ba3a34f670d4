import { claimBuild } from "./claims/claim-build.ts";
import { effects } from "./claims/effects.ts";
import { histories } from "./claims/histories.ts";
import { keys } from "./claims/keys.ts";
import { pool } from "./claims/pool.ts";
import { processes } from "./claims/processes.ts";
import { races } from "./claims/races.ts";
import { reconciler } from "./claims/reconciler.ts";
import { reinitMutants } from "./claims/reinit.ts";
import type { Mutant } from "./mutant.ts";

/** Bugs in pools, claims and reinitialization (docs/claims.md). */
export const claims: readonly Mutant[] = [
  ...pool,
  ...claimBuild,
  ...reinitMutants,
  ...reconciler,
  ...races,
  ...keys,
  ...histories,
  ...effects,
  ...processes,
];
