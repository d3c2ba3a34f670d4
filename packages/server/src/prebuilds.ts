/** The decisions of pools, claims and re-initialization, without a server around them: for the simulation. */
export {
  type ClaimTransaction,
  type NewOwner,
  takePrebuild,
} from "./features/workspaces/create/take-prebuild.ts";
export { sqlClaim } from "./features/workspaces/create/sql-claim.ts";
export {
  reconcile,
  type Reconciliation,
  type ReconcileLimits,
} from "./features/prebuilds/reconcile/reconcile.ts";
export type { Pool, PoolSnapshot, Prebuild } from "./features/prebuilds/reconcile/snapshot.ts";
export {
  decideReinit,
  type ReinitDecision,
  type ReinitStream,
  repeatMs,
  settledMs,
} from "./features/prebuilds/reinit/decide.ts";
export {
  followReinit,
  type ReinitAnswer,
  type ReinitNeeds,
  type ReinitRequest,
} from "./features/prebuilds/reinit/follow.ts";
export type { ReinitView } from "./features/prebuilds/reinit/view.ts";
export { type PubSub, topics } from "./platform/pubsub/pubsub.ts";
