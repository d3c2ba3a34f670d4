export { maxNameLength, nameProblem } from "./contract/name.ts";
export { defineRoute, routePath } from "./contract/route.ts";
export { routesOf } from "./contract/routes-of.ts";
export type { NamedRoute } from "./contract/routes-of.ts";
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
  createKey,
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
export {
  getTokenConfig,
  createToken,
  listTokens,
  getTokenByName,
  getKey,
  deleteKey,
  expireKey,
} from "./users/token-routes.ts";
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
export { AgentLog, AgentLogQuery, maxLogMessageBytes } from "./agents/agent-log.ts";
export {
  AgentStatus,
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
export { AppHealth, AppStatus, OpenIn, SharingLevel, WorkspaceApp } from "./agents/app.ts";
export { AgentMetadata } from "./agents/metadata.ts";
export {
  getAgent,
  getAgentLogs,
  getAgentStartupLogs,
  watchAgentMetadata,
  watchAgentMetadataSocket,
  agentRpc,
  agentReinit,
} from "./agents/routes.ts";
export {
  maxLogBodyBytes,
  AgentLogsRequest,
  updateAgentLogs,
  createAgentLogSource,
  AppStatusRequest,
  updateAgentAppStatus,
  getAgentGitKey,
  ExternalAuth,
  getAgentExternalAuth,
  getAgentGitAuth,
} from "./agents/me-routes.ts";
export {
  ListeningPorts,
  getListeningPorts,
  Containers,
  getContainers,
  watchContainers,
  deleteDevcontainer,
  recreateDevcontainer,
  DerpMap,
  ConnectionInfo,
  getAgentConnection,
  getConnection,
  watchDerpMap,
  coordinateAgent,
  joinTailnet,
  openTerminal,
} from "./agents/network-routes.ts";
export {
  AgentSession,
  awsInstanceIdentity,
  azureInstanceIdentity,
  googleInstanceIdentity,
} from "./agents/identity-routes.ts";
export { GitKey, GitKeyPair, getGitKey, regenerateGitKey } from "./users/git-key.ts";
export {
  BuildStatus,
  buildReasons,
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
  getBuild,
  getBuildLogs,
  listBuildParameters,
  listBuildResources,
  cancelBuild,
  getBuildState,
  getBuildTimings,
  getWorkspaceTimings,
} from "./builds/routes.ts";
export { BuildTimings } from "./builds/timings.ts";
export {
  listTemplates,
  getTemplate,
  listOrganizationTemplates,
  getTemplateByName,
  createTemplate,
  listTemplateVersions,
  updateActiveVersion,
  createTemplateVersion,
  getTemplateVersion,
  getTemplateVersionLogs,
  listTemplateVersionParameters,
  listTemplateVersionPresets,
  listTemplateVersionExternalAuth,
} from "./templates/routes.ts";
export {
  updateTemplate,
  deleteTemplate,
  getTemplateUsers,
  getTemplateSchema,
} from "./templates/routes.ts";
export {
  getTemplateVersionByName,
  getTemplateVersionByNames,
  getPreviousTemplateVersion,
  updateTemplateVersion,
  cancelTemplateVersion,
  archiveTemplateVersion,
  unarchiveTemplateVersion,
  archiveTemplateVersions,
  listTemplateVersionResources,
  listTemplateVersionVariables,
  diffTemplateVersions,
} from "./templates/version-routes.ts";
export {
  DryRunRequest,
  createDryRun,
  getDryRun,
  getDryRunLogs,
  listDryRunResources,
  getDryRunProvisioners,
  cancelDryRun,
} from "./templates/dry-run.ts";
export {
  DynamicParametersRequest,
  ParameterDiagnostic,
  EvaluatedParameter,
  DynamicParametersResponse,
  evaluateParameters,
  followParameters,
} from "./templates/dynamic-parameters.ts";
export { TemplateExample, listTemplateExamples } from "./templates/example.ts";
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
  Template,
  CreateTemplateRequest,
  UpdateActiveVersionRequest,
  UpdateTemplateRequest,
  TemplateUsers,
} from "./templates/template.ts";
export {
  MatchedProvisioners,
  JobsQuery,
  listProvisionerJobs,
  listProvisionerDaemons,
  ProvisionerDaemon,
  WorkerStatus,
} from "./jobs/provisioner.ts";
export {
  listWorkspaces,
  getWorkspace,
  getWorkspaceByName,
  createWorkspace,
  getExternalAgentCredentials,
  watchWorkspace,
  watchWorkspaceSocket,
} from "./workspaces/routes.ts";
export { Workspace, WorkspacesResponse, CreateWorkspaceRequest } from "./workspaces/workspace.ts";
export { AuthCheck, AuthCheckRequest } from "./deployment/auth-check.ts";
export {
  Appearance,
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
  getApplicationsHost,
  getBuildInfo,
  getDeploymentConfig,
  getHealthReport,
  getOpenApi,
  getSshConfig,
  getUpdateCheck,
  listExperiments,
  listRegions,
  listScopes,
  getDeploymentStats,
} from "./deployment/routes.ts";
export { type PrebuildStatus, prebuildsUserId, prebuildsUsername } from "./prebuilds/prebuild.ts";
export {
  InvalidatedPresets,
  PoolStatus,
  PrebuildPool,
  PrebuildsSettings,
} from "./prebuilds/pool.ts";
export {
  getPrebuildsSettings,
  invalidatePrebuilds,
  listPrebuildPools,
  updatePrebuildsSettings,
} from "./prebuilds/routes.ts";
export { InboxMessage, InboxNotification } from "./notifications/notification.ts";
export { listInboxNotifications, watchInboxNotifications } from "./notifications/routes.ts";
export { describeApi } from "./openapi/document.ts";
export type { OpenApiDocument } from "./openapi/document.ts";
export {
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
} from "./workspaces/settings-routes.ts";
export { AuditAction, AuditResourceType, AuditLog, AuditLogsResponse } from "./audit/audit-log.ts";
export { listAuditLogs } from "./audit/routes.ts";
