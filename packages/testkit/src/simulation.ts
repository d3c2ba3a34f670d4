/** Worlds of servers, agents and people that follow the product's own decisions (docs/claims.md). */
export {
  type Exploration,
  explore,
  type Replay,
  replay,
  type Subject,
} from "./simulation/explore.ts";
export type { PlayedHistory } from "./claim-histories/play.ts";
export { type HistorySearch, searchHistories } from "./claim-histories/search.ts";
export { plants } from "./simulation/plants/plants.ts";
