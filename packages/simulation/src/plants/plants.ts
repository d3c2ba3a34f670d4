import { claimPlants } from "./claim-plants.ts";
import type { Plant } from "./plant.ts";
import { poolPlants } from "./pool-plants.ts";
import { streamPlants } from "./stream-plants.ts";

/** All faults that section 7 of docs/protocol/prebuilds.md names, and the two that were released. */
export const plants: readonly Plant[] = [...claimPlants, ...streamPlants, ...poolPlants];
