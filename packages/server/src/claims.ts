/**
 * The decisions, services and statements of pools, claims and re-initialization, without a server around them: for the
 * simulation, and for tests that call them one at a time.
 */
export {
  type AgentSession,
  markAllAlive,
  markConnected,
  markDisconnected,
  takeOverRows,
} from "./features/agents/connections/connection-queries.ts";
export { updateAgentLifecycle } from "./features/agents/lifecycle/lifecycle-rpc.ts";
export { updateAgentStartup } from "./features/agents/lifecycle/startup-rpc.ts";
export { createSubAgent } from "./features/agents/sub-agents/sub-agent-rpc.ts";
export { buildHandler } from "./features/builds/build-job.ts";
export { cancelBuild } from "./features/builds/cancel-service.ts";
export { selectBuildContext } from "./features/builds/build-context.ts";
export { selectBuild } from "./features/builds/queries.ts";
export { restoreWorkspaces } from "./features/builds/restore.ts";
export { WorkspaceTurns } from "./features/builds/workspace-turns.ts";
export { findPredecessor } from "./features/builds/take-over.ts";
export {
  choosePrebuilds,
  type ClaimTransaction,
  type NewOwner,
  type PrebuildChange,
} from "./features/claims/choose-prebuilds.ts";
export { sqlClaim } from "./features/claims/claim-queries.ts";
export { claimTogether } from "./features/claims/claim-together.ts";
export { createWorkspace } from "./features/claims/create.ts";
export { CreationQueue } from "./features/claims/creation-queue.ts";
export { GatheredClaims } from "./features/claims/gathered-claims.ts";
export {
  decideReinit,
  type ReinitDecision,
  type ReinitStream,
  type ReinitView,
  repeatMs,
  settledMs,
} from "./features/claims/reinit/decide.ts";
export { followReinit } from "./features/claims/reinit/follow.ts";
export { markReinitSent, selectReinitViews } from "./features/claims/reinit/queries.ts";
export { keepFile } from "./features/files/service.ts";
export { invalidatePrebuilds } from "./features/prebuilds/invalidate-service.ts";
export { selectPool, selectPoolIds } from "./features/prebuilds/reconcile/queries.ts";
export {
  reconcile,
  type Reconciliation,
  type ReconcileLimits,
} from "./features/prebuilds/reconcile/reconcile.ts";
export { reconcilePools } from "./features/prebuilds/reconcile/reconciler.ts";
export type { PoolSnapshot, Prebuild } from "./features/prebuilds/reconcile/snapshot.ts";
export { importHandler } from "./features/templates/import-job.ts";
export { activateVersion, createTemplate } from "./features/templates/create-service.ts";
export { createVersion } from "./features/templates/create-version-service.ts";
export { buildWorkspace } from "./features/workspaces/build-service.ts";
export { selectWorkspace } from "./features/workspaces/queries.ts";
export { hashAgentToken } from "./platform/auth/agent-token.ts";
export { findLiveAgent } from "./platform/auth/queries.ts";
export { SecretBox } from "./platform/auth/secret-box.ts";
export { type Limits, mapLimits } from "./platform/config/limits.ts";
export { connectionOptions, databaseOn, ignoreErrorsInUse } from "./platform/db/database.ts";
export { Refusal, Unavailable } from "./platform/errors/errors.ts";
export { fullGrant, type UserCaller } from "./platform/http/caller.ts";
export { JobCanceled } from "./platform/jobs/worker.ts";
export { JobLease } from "./platform/jobs/job-lease.ts";
export { JobLogWriter } from "./platform/jobs/job-log-writer.ts";
export { acquireJob, type AcquiredJob } from "./platform/jobs/acquire-query.ts";
export { endJob, type JobOutcome } from "./platform/jobs/job-outcome.ts";
export type { JobHandler } from "./platform/jobs/worker.ts";
export { LocalListeners } from "./platform/pubsub/local-listeners.ts";
export { allOf, type LocalHints, type PubSub, topics } from "./platform/pubsub/pubsub.ts";
