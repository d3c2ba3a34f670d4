/** The services and statements of claims, without a server around them: for tests that call them one at a time. */
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
export { hashAgentToken } from "./platform/auth/agent-token.ts";
export { findLiveAgent } from "./platform/auth/queries.ts";
export { SecretBox } from "./platform/auth/secret-box.ts";
export { buildHandler } from "./features/builds/build-job.ts";
export { cancelBuild } from "./features/builds/cancel-service.ts";
export { selectBuildContext } from "./features/builds/build-context.ts";
export { selectBuild } from "./features/builds/queries.ts";
export { restoreWorkspaces } from "./features/builds/restore.ts";
export { findPredecessor } from "./features/builds/take-over.ts";
export { type Limits, mapLimits } from "./platform/config/limits.ts";
export { connectionOptions, databaseOn } from "./platform/db/database.ts";
export type { DB } from "./platform/db/gen/schema.ts";
export { timestampFromMs } from "./platform/db/timestamp.ts";
export type { DriverBuild } from "@slipway/drivers";
export type {
  Driver,
  DriverName,
  DriverPlan,
  DriverResult,
  WorkspaceObservation,
} from "@slipway/drivers";
export { DriverError } from "@slipway/drivers";
export { keepFile } from "./features/files/service.ts";
export { fullGrant, type UserCaller } from "./platform/http/caller.ts";
export { Refusal, Unavailable } from "./platform/errors/errors.ts";
export { JobCanceled } from "./platform/jobs/errors.ts";
export { JobLogWriter } from "./platform/jobs/job-log-writer.ts";
export { acquireJob, renewLeases } from "./platform/jobs/queries.ts";
export {
  type AcquiredJob,
  endJob,
  type JobHandler,
  type JobOutcome,
} from "./platform/jobs/worker.ts";
export { sqlClaim } from "./features/workspaces/create/sql-claim.ts";
export { invalidatePrebuilds } from "./features/prebuilds/invalidate-service.ts";
export { selectPool, selectPoolIds } from "./features/prebuilds/reconcile/queries.ts";
export { reconcilePools } from "./features/prebuilds/reconcile/reconciler.ts";
export { grantFrame, selectReinitViews } from "./features/prebuilds/reinit/queries.ts";
export type { LocalHints, PubSub } from "./platform/pubsub/pubsub.ts";
export { importHandler } from "./features/templates/import-job.ts";
export { activateVersion, createTemplate } from "./features/templates/create-service.ts";
export { createVersion } from "./features/templates/create-version-service.ts";
export { buildWorkspace } from "./features/workspaces/build-service.ts";
export { createWorkspace } from "./features/workspaces/create/create-service.ts";
export type { NewWorkspace } from "./features/workspaces/create/new-workspace.ts";
export { selectWorkspace } from "./features/workspaces/queries.ts";
