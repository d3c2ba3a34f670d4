/** Random histories of claims, in the simulation's model and in PostgreSQL (docs/claims.md). */
export type { PlayedHistory } from "./claim-histories/play-history.ts";
export { searchHistories } from "./claim-histories/search-histories.ts";
export type { HistorySearch } from "./claim-histories/search-histories.ts";
