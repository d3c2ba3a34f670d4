import { claimBugs } from "./claim-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { poolBugs } from "./pool-bugs.ts";
import { streamBugs } from "./stream-bugs.ts";

/** All bugs that section 7 of docs/protocol/prebuilds.md names, and the two that were released. */
export const plantedBugs: readonly PlantedBug[] = [...claimBugs, ...streamBugs, ...poolBugs];
