export { explore, replay } from "./explore.ts";
export type { Exploration, Replay, Subject } from "./explore.ts";
export { plants } from "./plants/plants.ts";
