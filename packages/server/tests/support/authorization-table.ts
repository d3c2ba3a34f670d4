import { randomUUID } from "node:crypto";

import { packTemplate } from "@slipway/testkit";

import { agentCallers, type CallerName, callerNames, type World } from "./authorization-world.ts";

/** The status that each caller gets. */
export type Statuses = Readonly<Record<CallerName, number>>;

/** The request of a row; a function creates a new one for each caller, if the request deletes its subject. */
interface Request {
  /** Path parameters; those omitted default to Ann's resources. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
}

export interface Row {
  readonly statuses: Statuses;
  readonly request: Request | ((world: World) => Promise<Request>);
  /** Set if the response ends the caller's session, so that each caller uses a new one. */
  readonly endsSession?: true;
}

/** Returns the row of a public route. */
function anyone(status: number, request: Row["request"] = {}): Row {
  return { statuses: statuses(() => status), request };
}

/** Callers whose status a row of `users` states only if it differs from the usual one. */
interface OtherStatuses {
  /** Defaults to that of another member, for whom rights to users and audit entries do not matter. */
  readonly userAdmin?: number;
  readonly auditor?: number;
  /** True if the member's token with the scope `workspace:read` allows the route. */
  readonly isReading?: true;
}

/**
 * Returns the row of a route for users: statuses for the owner of the resources, another member, a template admin, an
 * owner.
 */
function users(
  member: number,
  otherMember: number,
  templateAdmin: number,
  owner: number,
  request: Row["request"] = {},
  { userAdmin = otherMember, auditor = otherMember, isReading }: OtherStatuses = {},
): Row {
  const answered: Partial<Statuses> = {
    member,
    "other member": otherMember,
    "template admin": templateAdmin,
    "user admin": userAdmin,
    auditor,
    owner,
    "limited token": isReading === true ? member : 403,
  };
  return { statuses: statuses((name) => answered[name] ?? 401), request };
}

/**
 * Returns the row of a route for users who may read users: like `users`, for a right that user admins and auditors also
 * have.
 */
function usersOfAll(
  member: number,
  otherMember: number,
  status: number,
  request: Row["request"] = {},
): Row {
  const others = { userAdmin: status, auditor: status };
  return users(member, otherMember, status, status, request, others);
}

const aPath = { query: "path=/" };
const anEdit = { path: "/x", edits: [{ search: "a", replace: "b" }] };
/** The rows of the files of workspaces, whose agents are not connected. */
const files: Readonly<Record<string, Row>> = {
  listFiles: users(400, 404, 404, 400, aPath),
  statFile: users(400, 404, 404, 400, aPath),
  readFile: users(400, 404, 404, 400, aPath),
  writeFile: users(400, 404, 404, 400, aPath),
  editFile: users(400, 404, 404, 400, { body: anEdit }),
  moveFile: users(400, 404, 404, 400, { body: { from: "/x", to: "/y" } }),
  removeFile: users(400, 404, 404, 400, { body: { path: "/x" } }),
  makeDirectory: users(400, 404, 404, 400, { body: { path: "/x" } }),
  searchFiles: users(400, 404, 404, 400, { body: { path: "/", pattern: "x" } }),
  watchFiles: users(400, 404, 404, 400, aPath),
  readArchive: users(400, 404, 404, 400, aPath),
  writeArchive: users(400, 404, 404, 400, aPath),
};

/** Returns the row of a route for agents; an agent of an old build counts as unauthenticated. */
function agents(status: number, request: Row["request"] = {}): Row {
  return { statuses: statuses((name) => (agentCallers.has(name) ? status : 401)), request };
}

function statuses(of: (name: CallerName) => number): Statuses {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of every name
  return Object.fromEntries(callerNames.map((name) => [name, of(name)])) as Statuses;
}

const isReading: OtherStatuses = { isReading: true };
const changesUsers: OtherStatuses = { userAdmin: 200, auditor: 403 };
const somebodyNew = async (world: World): Promise<Request> => ({
  params: { user: (await world.newUser()).id },
});
const newKey = async (world: World): Promise<Request> => ({
  params: { key: await world.newKey() },
});
const newWorkspace = async (world: World): Promise<Request> => ({
  params: { workspace: (await world.newWorkspace()).id },
});
const newName = (): string => `n${randomUUID().slice(0, 8)}`;
const token = { params: { name: "token" } };
const keptRun = {
  id: randomUUID(),
  instance_id: randomUUID(),
  command: "true",
  workdir: "/",
  user: "me",
  tty: false,
  status: "exited",
  started_at: "2026-01-31T09:00:00Z",
  exited_at: "2026-01-31T09:00:01Z",
  exit_code: 0,
  signal: null,
  timed_out: false,
  last_seq: 0,
  first_seq: 0,
  truncated_bytes: 0,
  stdin: "none",
  stdin_seq: 0,
};
const run = { params: { run: randomUUID() } };
const provider = { params: { provider: "git" } };
const secondVersion = async ({ secondVersionId }: World): Promise<Request> => ({
  params: { version: secondVersionId },
});
const version = { params: { template: "demo", name: "first" } };

/** The rights of callers: every route of the contract by its exported name. */
export const table: Readonly<Record<string, Row>> = {
  // Public routes.
  getFirstUser: anyone(200),
  createDeviceLogin: anyone(201),
  redeemDeviceLogin: anyone(400, { body: { device_code: "x" } }),
  createFirstUser: anyone(409, {
    body: { email: "x@example.com", username: "x", password: "correct-horse-battery-42" },
  }),
  // A separate account for each, because password guesses for one account are slowed down.
  login: anyone(401, async () => ({
    body: { email: `${newName()}@example.com`, password: "wrong" },
  })),
  getAuthMethods: anyone(200),
  getBuildInfo: anyone(200),
  getAppearance: anyone(200),
  getUpdateCheck: anyone(200),
  getOpenApi: anyone(200),
  listScopes: anyone(200),
  getTemplateSchema: anyone(200),
  // Here there are no subdomain apps.
  redirectToApp: anyone(400, { query: "redirect_uri=https://web--dev--ann.apps.test/" }),
  watchDerpMap: anyone(426),
  awsInstanceIdentity: anyone(401, { body: { signature: "x", document: "x" } }),
  azureInstanceIdentity: anyone(401, { body: { signature: "x", encoding: "x" } }),
  kubernetesInstanceIdentity: anyone(404, { body: { token: "x" } }),
  googleInstanceIdentity: anyone(401, { body: { json_web_token: "x" } }),

  // Agents.
  agentRpc: agents(426),
  agentReinit: agents(200),
  updateAgentLogs: agents(200, { body: { logs: [{ output: "x" }] } }),
  createAgentLogSource: agents(201, { body: { display_name: "x" } }),
  updateAgentAppStatus: agents(400, { body: { app_slug: "x", state: "working" } }),
  getAgentGitKey: agents(200),
  getOwnConnection: agents(200),
  getAgentExternalAuth: agents(400),
  getAgentGitAuth: agents(400),

  keepRun: agents(204, { params: { run: keptRun.id }, body: { run: keptRun, chunks: [] } }),

  // People.
  listUsers: users(200, 200, 200, 200),
  createUser: users(
    403,
    403,
    403,
    201,
    async () => {
      const name = newName();
      const email = `${name}@example.com`;
      return { body: { username: name, email, password: "correct-horse-battery-42" } };
    },
    { userAdmin: 201 },
  ),
  getUser: usersOfAll(200, 404, 200),
  deleteUser: users(404, 404, 403, 200, somebodyNew, changesUsers),
  updateProfile: users(200, 404, 403, 200, { body: { username: "ann" } }, changesUsers),
  updatePassword: users(
    404,
    404,
    403,
    204,
    async (world) => ({
      ...(await somebodyNew(world)),
      body: { password: "another-horse-battery-43" },
    }),
    { userAdmin: 204, auditor: 403 },
  ),
  suspendUser: users(404, 404, 403, 200, somebodyNew, changesUsers),
  activateUser: users(404, 404, 403, 200, somebodyNew, changesUsers),
  getUserRoles: usersOfAll(200, 404, 200),
  updateUserRoles: users(
    403,
    404,
    403,
    200,
    { body: { roles: [] } },
    { userAdmin: 403, auditor: 403 },
  ),
  listRoles: users(200, 200, 200, 200),
  logout: { ...users(200, 200, 200, 200), endsSession: true },
  createKey: users(201, 404, 404, 201),
  getTokenConfig: users(200, 404, 404, 200),
  createToken: users(201, 404, 404, 201, { body: {} }),
  listTokens: users(200, 404, 404, 200),
  getTokenByName: users(200, 404, 404, 200, token),
  getKey: users(200, 404, 404, 200, newKey),
  deleteKey: users(204, 404, 404, 204, newKey),
  expireKey: users(204, 404, 404, 204, newKey),
  testLoginProvider: users(404, 404, 404, 404, { ...provider, body: { claims: { sub: "1" } } }),
  beginLoginTest: users(404, 404, 404, 404, provider),
  takeLoginTest: users(404, 404, 404, 404, { ...provider, body: { id: "x" } }),
  getOidcClaims: users(400, 400, 400, 400),
  // Without login providers.
  convertLogin: users(
    400,
    404,
    403,
    403,
    { body: { to_type: "oidc", password: "x" } },
    { userAdmin: 403, auditor: 403 },
  ),
  findWaitingProgram: users(400, 400, 400, 400, { body: { user_code: "x" } }),
  approveDeviceLogin: users(400, 400, 400, 400, { body: { user_code: "x" } }),
  refuseDeviceLogin: users(400, 400, 400, 400, { body: { user_code: "x" } }),
  listSessions: users(200, 404, 404, 200),
  deleteSessions: users(404, 404, 404, 204, somebodyNew),
  getGitKey: users(200, 404, 404, 200),
  regenerateGitKey: users(200, 404, 404, 200),
  // Each user's own links, to a provider with a callback, to which no user has logged in.
  listExternalAuth: users(200, 200, 200, 200),
  getExternalAuth: users(200, 200, 200, 200, provider),
  deleteExternalAuth: users(404, 404, 404, 404, provider),
  createExternalAuthDevice: users(400, 400, 400, 400, provider),
  redeemExternalAuthDevice: users(400, 400, 400, 400, {
    ...provider,
    body: { device_code: "x" },
  }),
  checkAuthorization: users(200, 200, 200, 200, { body: { checks: {} } }),

  // Organizations and the deployment.
  listOrganizations: users(200, 200, 200, 200),
  getOrganization: users(200, 200, 200, 200),
  listUserOrganizations: usersOfAll(200, 404, 200),
  getUserOrganization: usersOfAll(200, 404, 200),
  listMembers: users(200, 200, 200, 200),
  getMember: usersOfAll(200, 404, 200),
  getDeploymentConfig: users(404, 404, 404, 200),
  getHealthReport: users(404, 404, 404, 200),
  getDeploymentStats: users(404, 404, 404, 200),
  listAuditLogs: users(403, 403, 403, 200, {}, { auditor: 200 }),
  listConnectionLogs: users(403, 403, 403, 200, {}, { auditor: 200 }),
  updateAppearance: users(403, 403, 403, 200, { body: { announcement_banners: [] } }),
  getPrebuildsSettings: users(404, 404, 200, 200),
  updatePrebuildsSettings: users(404, 404, 403, 304, { body: { reconciliation_paused: false } }),
  listPrebuildPools: users(404, 404, 200, 200),
  listPrebuildClaims: users(404, 404, 200, 200),
  getSshConfig: users(200, 200, 200, 200),
  getApplicationsHost: users(200, 200, 200, 200),
  listExperiments: users(200, 200, 200, 200),
  getEntitlements: users(200, 200, 200, 200),
  // Without the headers of the protocol, which say that a client takes events as well.
  callMcp: users(
    406,
    406,
    406,
    406,
    { body: { jsonrpc: "2.0", id: 1, method: "ping" } },
    isReading,
  ),
  listRegions: users(200, 200, 200, 200),
  listInboxNotifications: users(200, 200, 200, 200),
  watchInboxNotifications: users(426, 426, 426, 426),
  // Each has a separate inbox, which is empty.
  updateInboxReadStatus: users(404, 404, 404, 404, {
    params: { notification: "11111111-1111-4111-8111-111111111111" },
    body: { is_read: true },
  }),
  markAllInboxNotificationsRead: users(204, 204, 204, 204),
  getNotificationsSettings: users(200, 200, 200, 200),
  updateNotificationsSettings: users(403, 403, 403, 304, { body: { notifier_paused: false } }),
  sendTestNotification: users(403, 403, 403, 204),
  sendCustomNotification: users(204, 204, 204, 204, {
    body: { content: { title: "Done", message: "The tests have passed." } },
  }),

  // Workspaces: a template admin sees them, and changes none.
  listWorkspaces: users(200, 200, 200, 200, {}, isReading),
  createWorkspace: users(201, 404, 404, 201, async (world) => ({
    body: { name: newName(), template_id: world.ids["template"] },
  })),
  getWorkspaceAllowances: users(200, 404, 200, 200),
  getWorkspace: users(200, 404, 200, 200, {}, isReading),
  getWorkspaceByName: users(200, 404, 200, 200, { params: { name: "dev" } }, isReading),
  watchWorkspace: users(200, 404, 200, 200, {}, isReading),
  watchWorkspaces: users(426, 426, 426, 426, {}, isReading),
  watchWorkspaceSocket: users(426, 404, 426, 426, {}, isReading),
  getWorkspaceTimings: users(200, 404, 200, 200, {}, isReading),
  resolveAutostart: users(200, 404, 200, 200, {}, isReading),
  renameWorkspace: users(204, 404, 403, 204, { body: { name: "dev" } }),
  updateAutostart: users(204, 404, 403, 204, { body: { schedule: null } }),
  updateTtl: users(204, 404, 403, 204, { body: { ttl_ms: null } }),
  updateAutomaticUpdates: users(204, 404, 403, 204, { body: { automatic_updates: "never" } }),
  updateDormancy: users(200, 404, 403, 200, async (world) => ({
    ...(await newWorkspace(world)),
    body: { dormant: true },
  })),
  reportWorkspaceUsage: users(204, 404, 403, 204),
  getExternalAgentCredentials: users(200, 404, 403, 200, { params: { agent: "main" } }),
  // The workspace runs.
  revokeExternalAgentTokens: users(409, 404, 403, 409),
  listPortShares: users(200, 404, 200, 200, {}, isReading),
  listWorkspaceConnections: users(200, 404, 200, 200, {}, isReading),
  // The agent is unknown, and the port is not shared.
  sharePort: users(400, 404, 403, 400, {
    body: { agent_name: "other", port: 8080, share_level: "public" },
  }),
  unsharePort: users(404, 404, 403, 404, { body: { agent_name: "main", port: 8080 } }),
  createBuild: users(201, 404, 403, 201, async (world) => ({
    ...(await newWorkspace(world)),
    body: { transition: "stop" },
  })),
  cancelBuild: users(400, 404, 403, 400),
  extendWorkspace: users(409, 404, 403, 409, { body: { deadline: "2020-01-01T00:00:00Z" } }),
  favoriteWorkspace: users(204, 404, 403, 403),
  unfavoriteWorkspace: users(204, 404, 403, 403),
  listBuilds: users(200, 404, 200, 200, {}, isReading),
  getBuildByNumber: users(200, 404, 200, 200, { params: { name: "dev", number: "1" } }, isReading),
  getBuild: users(200, 404, 200, 200, {}, isReading),
  getBuildLogs: users(200, 404, 200, 200, {}, isReading),
  getBuildState: users(404, 404, 200, 200),
  updateBuildState: users(404, 404, 400, 400, { body: { state: "e30=" } }),
  getBuildTimings: users(200, 404, 200, 200, {}, isReading),
  listBuildParameters: users(200, 404, 200, 200, {}, isReading),
  listBuildResources: users(200, 404, 200, 200, {}, isReading),

  // Agents as clients see them: reaching into one takes more than seeing it.
  getAgent: users(200, 404, 200, 200, {}, isReading),
  getAgentLogs: users(200, 404, 200, 200, {}, isReading),
  getAgentStartupLogs: users(200, 404, 200, 200, {}, isReading),
  watchAgentMetadata: users(200, 404, 200, 200, {}, isReading),
  watchAgentMetadataSocket: users(426, 404, 426, 426, {}, isReading),
  getAgentConnection: users(200, 404, 200, 200),
  getConnection: users(200, 200, 200, 200),
  ...files,
  getListeningPorts: users(400, 404, 404, 400, {}, isReading),
  listConnectionPaths: users(400, 404, 404, 400, {}, isReading),
  getContainers: users(400, 404, 400, 400, {}, isReading),
  watchContainers: users(400, 404, 400, 400, {}, isReading),
  deleteDevcontainer: users(400, 404, 403, 400, { params: { devcontainer: randomUUID() } }),
  recreateDevcontainer: users(400, 404, 403, 400, { params: { devcontainer: randomUUID() } }),
  coordinateAgent: users(426, 404, 404, 426, { query: "version=2.0" }),
  openTerminal: users(404, 404, 404, 404),
  startRun: users(400, 404, 404, 400, { body: { command: "true" } }),
  listRuns: users(400, 404, 404, 400),
  getRun: users(400, 404, 404, 400, run),
  getRunOutput: users(400, 404, 404, 400, run),
  attachRun: users(400, 404, 404, 400, run),
  listKeptRuns: users(200, 404, 404, 200),
  getKeptRunOutput: users(404, 404, 404, 404, run),
  signalRun: users(400, 404, 404, 400, { ...run, body: { signal: "INT" } }),
  writeRunInput: users(400, 404, 404, 400, { ...run, body: { data: "x" } }),
  joinTailnet: users(426, 426, 426, 426, { query: "version=2.0" }),

  // Templates: every user reads them, template writers change them.
  listTemplates: users(200, 200, 200, 200),
  listOrganizationTemplates: users(200, 200, 200, 200),
  listTemplateExamples: users(200, 200, 200, 200),
  getTemplate: users(200, 200, 200, 200),
  getTemplateByName: users(200, 200, 200, 200, { params: { name: "demo" } }),
  getTemplateUsers: users(200, 200, 200, 200),
  listTemplateVersions: users(200, 200, 200, 200),
  getTemplateVersion: users(200, 200, 200, 200),
  getTemplateVersionByName: users(200, 200, 200, 200, { params: { name: "first" } }),
  getTemplateVersionByNames: users(200, 200, 200, 200, version),
  getPreviousTemplateVersion: users(200, 200, 200, 200, {
    params: { template: "demo", name: "second" },
  }),
  getTemplateVersionLogs: users(200, 200, 200, 200),
  listTemplateVersionParameters: users(200, 200, 200, 200),
  listTemplateVersionPresets: users(200, 200, 200, 200),
  listWaitingPrebuilds: users(200, 200, 200, 200),
  listTemplateVersionResources: users(200, 200, 200, 200),
  listTemplateVersionVariables: users(200, 200, 200, 200),
  listTemplateVersionExternalAuth: users(200, 200, 200, 200),
  diffTemplateVersions: users(403, 403, 200, 200, secondVersion),
  createTemplate: users(403, 403, 400, 400, async (world) => ({
    body: { name: newName(), template_version_id: world.ids["version"] },
  })),
  createTemplateVersion: users(403, 403, 201, 201, async (world) => ({
    body: { file_id: world.ids["file"] },
  })),
  updateActiveVersion: users(403, 403, 200, 200, async (world) => ({
    body: { id: world.ids["version"] },
  })),
  updateTemplate: users(403, 403, 200, 200, { body: { display_name: "Demo" } }),
  deleteTemplate: users(403, 403, 400, 400),
  invalidatePrebuilds: users(403, 403, 200, 200),
  updateTemplateVersion: users(403, 403, 200, 200, { body: { message: "x" } }),
  cancelTemplateVersion: users(403, 403, 400, 400),
  archiveTemplateVersion: users(403, 403, 400, 400),
  archiveTemplateVersions: users(403, 403, 200, 200, { body: {} }),
  unarchiveTemplateVersion: users(403, 403, 400, 400),
  evaluateParameters: users(200, 200, 200, 200, { body: { id: 1, inputs: {} } }),
  followParameters: users(426, 426, 426, 426),
  createDryRun: users(201, 201, 201, 201, { body: {} }),
  getDryRun: users(200, 404, 200, 200),
  getDryRunLogs: users(200, 404, 200, 200),
  listDryRunResources: users(200, 404, 200, 200),
  getDryRunProvisioners: users(200, 404, 200, 200),
  cancelDryRun: users(400, 404, 400, 400),
  uploadFile: users(403, 403, 201, 201, async () => ({
    body: await packTemplate("driver: external"),
  })),
  getFile: users(404, 404, 200, 200),
  listProvisionerDaemons: users(200, 200, 200, 200),
  listProvisionerJobs: users(200, 200, 200, 200),
  createProvisionerKey: users(403, 403, 403, 201, async () => ({ body: { name: newName() } })),
  listProvisionerKeys: users(403, 403, 403, 200),
  deleteProvisionerKey: users(403, 403, 403, 204, async (world) => ({
    params: { key: await world.newProvisionerKey() },
  })),
  // Its callers have keys of their own, which `provisioner-sessions.test.ts` tests.
  serveProvisioner: anyone(401),
};
