/** Worlds of servers, agents and people that live by the product's own decisions (docs/claims.md). */
export {
  type Exploration,
  explore,
  type Replay,
  replay,
  type Subject,
} from "./simulation/explore.ts";
export { plants } from "./simulation/plants/plants.ts";
