export { explore, replay } from "./explore.ts";
export type { Exploration, Replay, Subject } from "./explore.ts";
export { type BurstOptions, type BurstOutcome, runBurst } from "./burst/run-burst.ts";
export { plantedBugs } from "./planted-bugs/planted-bugs.ts";
