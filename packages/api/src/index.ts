export { maxNameLength, nameProblem } from "./contract/name.ts";
export { defineRoute, routePath } from "./contract/route.ts";
export type {
  Method,
  Caller,
  AnswerKind,
  Route,
  ParamsOf,
  QueryOf,
  BodyOf,
  ResponseOf,
} from "./contract/route.ts";
export { routesOf } from "./contract/routes-of.ts";
export type { NamedRoute } from "./contract/routes-of.ts";
export { nilUuid } from "./contract/nil-uuid.ts";
export { Uuid, Timestamp, zeroTimestamp, nullable, oneOf } from "./contract/scalars.ts";
export type { Infer } from "./contract/scalars.ts";
export { canonicalScope, scopeNames, scopeParts, tokenScopes } from "./contract/scopes.ts";
export type { ScopeName, TokenScope } from "./contract/scopes.ts";
export { Validation, ErrorBody, MessageBody } from "./errors/api-error.ts";
export {
  UserParams,
  getFirstUser,
  createFirstUser,
  login,
  logout,
  getAuthMethods,
  getUser,
  listUsers,
  createUser,
  deleteUser,
  updateProfile,
  updatePassword,
  suspendUser,
  activateUser,
  getUserRoles,
  updateUserRoles,
  listRoles,
} from "./users/routes.ts";
export {
  createKey,
  getTokenConfig,
  createToken,
  listTokens,
  getTokenByName,
  getKey,
  deleteKey,
  expireKey,
} from "./users/key-routes.ts";
export {
  Role,
  User,
  UsersResponse,
  CreateUserRequest,
  roleNames,
  RoleName,
  AssignableRole,
  FirstUserRequest,
  FirstUserResponse,
  LoginRequest,
  LoginResponse,
  KeyResponse,
  AuthMethods,
} from "./users/user.ts";
export { ApiKey, ListedToken, CreateTokenRequest } from "./users/token.ts";
export { OrganizationMember } from "./organizations/member.ts";
export { Organization } from "./organizations/organization.ts";
export {
  OrganizationParams,
  listOrganizations,
  getOrganization,
  listUserOrganizations,
  getUserOrganization,
  listMembers,
  getMember,
} from "./organizations/routes.ts";
export { maxFileBytes, tarMimeType, uploadFile, getFile } from "./files/routes.ts";
export { JobStatus, JobType, ProvisionerJob, LogLevel, JobLog, LogQuery } from "./jobs/job.ts";
export {
  AgentStatus,
  agentStatuses,
  lifecycleStates,
  ExternalAgentCredentials,
  LifecycleState,
  AgentLogSource,
  AgentScript,
  ScriptStage,
  ScriptStatus,
  Subsystem,
  DisplayApp,
  WorkspaceAgent,
} from "./agents/agent.ts";
export { redirectToApp } from "./apps/auth-redirect-routes.ts";
export { AppHealth, AppStatus, OpenIn, SharingLevel, WorkspaceApp } from "./agents/app.ts";
export { agentRpc, getAgent } from "./agents/routes.ts";
export {
  AgentLog,
  AgentLogQuery,
  AgentLogsRequest,
  createAgentLogSource,
  getAgentLogs,
  getAgentStartupLogs,
  maxLogMessageBytes,
  updateAgentLogs,
} from "./agents/log-routes.ts";
export {
  AgentMetadata,
  watchAgentMetadata,
  watchAgentMetadataSocket,
} from "./agents/metadata-routes.ts";
export { AppStatusRequest, updateAgentAppStatus } from "./agents/app-status-routes.ts";
export {
  ExternalAuth,
  getAgentExternalAuth,
  getAgentGitAuth,
  getAgentGitKey,
} from "./agents/owner-secret-routes.ts";
export { ListeningPorts, getListeningPorts } from "./agents/listening-port-routes.ts";
export {
  Containers,
  getContainers,
  watchContainers,
  deleteDevcontainer,
  recreateDevcontainer,
} from "./agents/container-routes.ts";
export { DerpMap } from "./agents/derp-map.ts";
export {
  ConnectionInfo,
  getAgentConnection,
  getConnection,
  getOwnConnection,
  watchDerpMap,
} from "./agents/connection-routes.ts";
export { coordinateAgent, joinTailnet } from "./agents/tailnet-routes.ts";
export { openTerminal } from "./agents/pty-routes.ts";
export {
  AgentSession,
  awsInstanceIdentity,
  azureInstanceIdentity,
  googleInstanceIdentity,
} from "./agents/instance-identity-routes.ts";
export { GitKey, GitKeyPair } from "./users/git-key.ts";
export { getGitKey, regenerateGitKey } from "./users/git-key-routes.ts";
export {
  BuildStatus,
  buildReasons,
  buildStatuses,
  BuildReason,
  BuildParameter,
  WorkspaceBuild,
  CreateBuildRequest,
} from "./builds/build.ts";
export { Transition, WorkspaceResource } from "./builds/resource.ts";
export {
  createBuild,
  listBuilds,
  getBuildByNumber,
  getWorkspaceTimings,
} from "./workspaces/build-routes.ts";
export {
  getBuild,
  getBuildLogs,
  listBuildParameters,
  listBuildResources,
  cancelBuild,
  getBuildState,
  getBuildTimings,
} from "./builds/routes.ts";
export { BuildTimings } from "./builds/timings.ts";
export {
  listTemplates,
  getTemplate,
  listOrganizationTemplates,
  getTemplateByName,
  createTemplate,
  updateTemplate,
  deleteTemplate,
  getTemplateUsers,
  getTemplateSchema,
  listTemplateExamples,
} from "./templates/routes.ts";
export {
  listTemplateVersions,
  updateActiveVersion,
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
  listTemplateVersionPresets,
  listTemplateVersionExternalAuth,
  getTemplateVersionByName,
  getTemplateVersionByNames,
  getPreviousTemplateVersion,
  updateTemplateVersion,
  cancelTemplateVersion,
  archiveTemplateVersion,
  unarchiveTemplateVersion,
  archiveTemplateVersions,
  listTemplateVersionResources,
  diffTemplateVersions,
} from "./templates/version-routes.ts";
export {
  listTemplateVersionParameters,
  listTemplateVersionVariables,
  evaluateParameters,
  followParameters,
} from "./templates/parameter-routes.ts";
export {
  DryRunRequest,
  createDryRun,
  getDryRun,
  getDryRunLogs,
  listDryRunResources,
  getDryRunProvisioners,
  cancelDryRun,
} from "./templates/dry-run-routes.ts";
export {
  DynamicParametersRequest,
  ParameterDiagnostic,
  EvaluatedParameter,
  DynamicParametersResponse,
} from "./templates/dynamic-parameters.ts";
export { TemplateExample } from "./templates/example.ts";
export {
  TemplateVersion,
  CreateTemplateVersionRequest,
  UpdateTemplateVersionRequest,
  ArchiveVersionsRequest,
  ArchiveVersionsResponse,
  VersionDiff,
  TemplateVersionParameter,
  Preset,
} from "./templates/template-version.ts";
export {
  CorsBehavior,
  Template,
  CreateTemplateRequest,
  UpdateActiveVersionRequest,
  UpdateTemplateRequest,
  type Weekday,
  weekdays,
  TemplateUsers,
} from "./templates/template.ts";
export {
  MatchedProvisioners,
  JobsQuery,
  ProvisionerDaemon,
  WorkerStatus,
} from "./jobs/provisioner.ts";
export { listProvisionerJobs, listProvisionerDaemons } from "./organizations/provisioner-routes.ts";
export {
  listWorkspaces,
  getWorkspace,
  getWorkspaceByName,
  createWorkspace,
  renameWorkspace,
  favoriteWorkspace,
  unfavoriteWorkspace,
  updateAutomaticUpdates,
  updateTtl,
  updateAutostart,
  extendWorkspace,
  updateDormancy,
  reportWorkspaceUsage,
  resolveAutostart,
} from "./workspaces/routes.ts";
export {
  getExternalAgentCredentials,
  revokeExternalAgentTokens,
} from "./workspaces/external-agent-routes.ts";
export {
  DeletePortShareRequest,
  listPortShares,
  maxSharedPort,
  minSharedPort,
  PortProtocol,
  PortShare,
  PortShareRequest,
  PortSharesResponse,
  sharePort,
  unsharePort,
} from "./workspaces/port-share-routes.ts";
export { watchWorkspace, watchWorkspaceSocket } from "./workspaces/watch-routes.ts";
export { Workspace, WorkspacesResponse, CreateWorkspaceRequest } from "./workspaces/workspace.ts";
export { AuthCheck, AuthCheckRequest } from "./deployment/auth-check.ts";
export {
  Appearance,
  AppearanceUpdate,
  DeploymentConfig,
  HealthReport,
  RegionsResponse,
  SshConfig,
  UpdateCheck,
  DeploymentStats,
} from "./deployment/deployment.ts";
export {
  BuildInfo,
  checkAuthorization,
  getAppearance,
  updateAppearance,
  getApplicationsHost,
  getBuildInfo,
  getDeploymentConfig,
  getEntitlements,
  getHealthReport,
  getSshConfig,
  getUpdateCheck,
  listExperiments,
  listRegions,
  listScopes,
  getDeploymentStats,
} from "./deployment/routes.ts";
export { getOpenApi } from "./deployment/openapi-routes.ts";
export { prebuildsUserId, prebuildsUsername } from "./prebuilds/prebuild.ts";
export type { PrebuildStatus } from "./prebuilds/prebuild.ts";
export {
  InvalidatedPresets,
  PoolStatus,
  PrebuildPool,
  PrebuildsSettings,
} from "./prebuilds/pool.ts";
export {
  agentReinit,
  getPrebuildsSettings,
  invalidatePrebuilds,
  listPrebuildPools,
  updatePrebuildsSettings,
} from "./prebuilds/routes.ts";
export {
  CustomNotification,
  InboxMessage,
  InboxNotification,
  NotificationsSettings,
} from "./notifications/notification.ts";
export {
  getNotificationsSettings,
  listInboxNotifications,
  markAllInboxNotificationsRead,
  sendCustomNotification,
  sendTestNotification,
  updateInboxReadStatus,
  updateNotificationsSettings,
  watchInboxNotifications,
} from "./notifications/routes.ts";
export { describeApi, describeApiInSteps } from "./openapi/document.ts";
export type { OpenApiDocument } from "./openapi/document.ts";
export {
  AuditAction,
  auditActions,
  AuditResourceType,
  auditResourceTypes,
  AuditLog,
  AuditLogsResponse,
} from "./audit/audit-log.ts";
export {
  ConnectionLog,
  ConnectionLogsResponse,
  ConnectionStatus,
  connectionStatuses,
  ConnectionType,
  connectionTypes,
} from "./agents/connection-log.ts";
export { listConnectionLogs } from "./agents/connection-log-routes.ts";
export { listAuditLogs } from "./audit/routes.ts";
export {
  ExternalAuthDevice,
  ExternalAuthLink,
  ExternalAuthList,
  ExternalAuthProvider,
  ExternalAuthRemoval,
  ExternalAuthState,
  TemplateVersionExternalAuth,
} from "./external-auth/external-auth.ts";
export {
  createExternalAuthDevice,
  deleteExternalAuth,
  getExternalAuth,
  listExternalAuth,
  redeemExternalAuthDevice,
} from "./external-auth/routes.ts";
