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
export { Uuid, nilUuid, Timestamp, zeroTimestamp, nullable, oneOf } from "./contract/scalars.ts";
export type { Infer } from "./contract/scalars.ts";
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
} from "./users/routes.ts";
export {
  Role,
  User,
  FirstUserRequest,
  FirstUserResponse,
  LoginRequest,
  LoginResponse,
  KeyResponse,
  AuthMethods,
} from "./users/user.ts";
export { Organization } from "./organizations/organization.ts";
export {
  OrganizationParams,
  listOrganizations,
  getOrganization,
  listUserOrganizations,
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
export { AppHealth, OpenIn, SharingLevel, WorkspaceApp } from "./agents/app.ts";
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
} from "./builds/routes.ts";
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
  TemplateVersion,
  CreateTemplateVersionRequest,
  TemplateVersionParameter,
  Preset,
} from "./templates/template-version.ts";
export {
  Template,
  CreateTemplateRequest,
  UpdateActiveVersionRequest,
} from "./templates/template.ts";
export {
  listWorkspaces,
  getWorkspace,
  getWorkspaceByName,
  createWorkspace,
  getExternalAgentCredentials,
} from "./workspaces/routes.ts";
export { Workspace, WorkspacesResponse, CreateWorkspaceRequest } from "./workspaces/workspace.ts";
export { BuildInfo, getBuildInfo } from "./deployment/routes.ts";
