/** The decisions of pools, claims and re-initialisation, without a server around them: for the simulation. */
export { type ClaimTransaction, type NewOwner, takePrebuild } from "./prebuilds/claim/claim.ts";
export { sqlClaim } from "./prebuilds/claim/sql-claim.ts";
export {
  reconcile,
  type Reconciliation,
  type ReconcileLimits,
} from "./prebuilds/reconcile/reconcile.ts";
export type { Pool, PoolSnapshot, Prebuild } from "./prebuilds/reconcile/snapshot.ts";
export {
  decideReinit,
  type ReinitDecision,
  type ReinitStream,
  repeatMs,
  settledMs,
} from "./prebuilds/reinit/decide.ts";
export {
  followReinit,
  type ReinitAnswer,
  type ReinitNeeds,
  type ReinitRequest,
} from "./prebuilds/reinit/follow.ts";
export type { ReinitView } from "./prebuilds/reinit/view.ts";
export { type PubSub, topics } from "./pubsub/pubsub.ts";
