/** Random histories of claims, in the model of the simulated worlds and in PostgreSQL (docs/claims.md). */
export type { PlayedHistory } from "./claim-histories/play-history.ts";
export { searchHistories } from "./claim-histories/search-histories.ts";
export type { HistorySearch } from "./claim-histories/search-histories.ts";
