/** The services and statements of claims, without a server around them: for tests that call them one at a time. */
export {
  markAllAlive,
  markConnected,
  markDisconnected,
  type AgentSession,
} from "./agents/connection-queries.ts";
export { updateAgentLifecycle, updateAgentStartup } from "./agents/rpc/queries.ts";
export { createSubAgent } from "./agents/rpc/sub-agents.ts";
export { hashAgentToken } from "./auth/agent-token.ts";
export { findLiveAgent } from "./auth/queries.ts";
export { SecretBox } from "./auth/secret-box.ts";
export { buildHandler } from "./builds/build-job.ts";
export { cancelBuild } from "./builds/cancel-service.ts";
export { selectBuildContext } from "./builds/context-queries.ts";
export { selectBuild } from "./builds/queries.ts";
export { restoreWorkspaces } from "./builds/restore.ts";
export { findPredecessor } from "./builds/take-over.ts";
export { type Limits, mapLimits } from "./config/limits.ts";
export { connectionOptions, databaseOn } from "./db/database.ts";
export type { DB } from "./db/gen/schema.ts";
export { timestampFromMs } from "./db/timestamp.ts";
export type { DriverBuild } from "./drivers/driver-build.ts";
export type { Driver, DriverName, DriverPlan, DriverResult, Observed } from "./drivers/driver.ts";
export { DriverError } from "./drivers/errors.ts";
export { keepFile } from "./files/service.ts";
export { fullGrant, type UserCaller } from "./http/caller.ts";
export { HttpError } from "./http/errors.ts";
export { JobCanceled } from "./jobs/errors.ts";
export { JobLogWriter } from "./jobs/job-log-writer.ts";
export { acquireJob, renewLeases } from "./jobs/queries.ts";
export { type AcquiredJob, endJob, type JobHandler, type JobOutcome } from "./jobs/worker.ts";
export { takePrebuild } from "./prebuilds/claim/service.ts";
export { sqlClaim } from "./prebuilds/claim/sql-claim.ts";
export { invalidatePrebuilds } from "./prebuilds/invalidate-service.ts";
export { selectPool, selectPoolIds } from "./prebuilds/reconcile/queries.ts";
export { reconcilePools } from "./prebuilds/reconcile/reconciler.ts";
export { grantFrame, selectReinitViews } from "./prebuilds/reinit/queries.ts";
export type { LocalHints, PubSub } from "./pubsub/pubsub.ts";
export { importHandler } from "./templates/import-job.ts";
export { RpcFailure } from "./rpc/handler.ts";
export { activateVersion, createTemplate } from "./templates/service.ts";
export { createVersion } from "./templates/version-service.ts";
export { buildWorkspace } from "./workspaces/build-service.ts";
export { createWorkspace, type NewWorkspace } from "./workspaces/create-service.ts";
export { selectWorkspace } from "./workspaces/queries.ts";
