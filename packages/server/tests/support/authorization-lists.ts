import type { CallerName } from "./authorization-world.ts";

/** Routes that list resources of several people, by their exported names. */
type ListName =
  | "listAuditLogs"
  | "listConnectionLogs"
  | "listMembers"
  | "listPrebuildClaims"
  | "listPrebuildPools"
  | "listProvisionerJobs"
  | "listProvisionerKeys"
  | "listTokens"
  | "listUsers"
  | "listWorkspaces";

/** One query of a list, and the expected response for each caller. Callers that are not named get no list. */
export interface ListQuestion {
  readonly route: ListName;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  /** A caller's list: the texts that `label` gives for its items, each once, sorted. */
  readonly expected: Readonly<Partial<Record<CallerName, readonly string[]>>>;
}

const everybody = ["admin", "ann", "auditor", "bob", "sam", "template-admin", "user-admin"];
const itself = {
  member: ["ann"],
  "other member": ["bob"],
} as const;
const seesEverybody = {
  "template admin": everybody,
  "user admin": everybody,
  auditor: everybody,
  owner: everybody,
} as const;
const nothing: readonly string[] = [];
const both = ["ann/dev", "bob/dev"];
const me = { user: "me" };

/** The expected lists, for callers that the table of routes admits. */
export const questions: readonly ListQuestion[] = [
  { route: "listUsers", expected: { ...itself, ...seesEverybody } },
  // A search never finds users whom the caller may not see.
  {
    route: "listUsers",
    query: "q=status:suspended",
    expected: {
      member: nothing,
      "other member": nothing,
      "template admin": ["sam"],
      "user admin": ["sam"],
      auditor: ["sam"],
      owner: ["sam"],
    },
  },
  { route: "listMembers", expected: { ...itself, ...seesEverybody } },
  {
    route: "listWorkspaces",
    expected: {
      member: ["ann/dev"],
      "other member": ["bob/dev"],
      "template admin": both,
      "user admin": nothing,
      auditor: nothing,
      owner: both,
      "limited token": ["ann/dev"],
    },
  },
  {
    route: "listWorkspaces",
    query: "q=owner:bob",
    expected: {
      member: nothing,
      "other member": ["bob/dev"],
      "template admin": ["bob/dev"],
      "user admin": nothing,
      auditor: nothing,
      owner: ["bob/dev"],
      "limited token": nothing,
    },
  },
  {
    route: "listTokens",
    params: me,
    expected: {
      member: ["ann:limited", "ann:token"],
      "other member": ["bob:token"],
      "template admin": nothing,
      "user admin": nothing,
      auditor: nothing,
      owner: nothing,
    },
  },
  // Only an owner gets everyone's; other callers who request them get their own.
  {
    route: "listTokens",
    params: me,
    query: "include_all=true",
    expected: {
      member: ["ann:limited", "ann:token"],
      "other member": ["bob:token"],
      "template admin": nothing,
      "user admin": nothing,
      auditor: nothing,
      owner: ["ann:limited", "ann:token", "bob:token"],
    },
  },
  {
    route: "listTokens",
    query: "include_all=true",
    expected: {
      member: ["ann:limited", "ann:token"],
      owner: ["ann:limited", "ann:token", "bob:token"],
    },
  },
  // Jobs are visible to those who see their subjects.
  {
    route: "listProvisionerJobs",
    expected: {
      member: ["template_version_dry_run", "workspace_build of ann/dev"],
      "other member": ["workspace_build of bob/dev"],
      "template admin": [
        "template_version_dry_run",
        "template_version_import",
        "workspace_build of ann/dev",
        "workspace_build of bob/dev",
      ],
      "user admin": nothing,
      auditor: nothing,
      owner: [
        "template_version_dry_run",
        "template_version_import",
        "workspace_build of ann/dev",
        "workspace_build of bob/dev",
      ],
    },
  },
  // Nothing was claimed in the world of the tests; prebuilds.test.ts has what is.
  { route: "listPrebuildClaims", expected: { "template admin": [], owner: [] } },
  { route: "listPrebuildPools", expected: { "template admin": ["demo"], owner: ["demo"] } },
  {
    route: "listAuditLogs",
    query: "q=resource_type:workspace",
    expected: { auditor: ["workspace dev"], owner: ["workspace dev"] },
  },
  // No agent in the world has reported a connection.
  { route: "listConnectionLogs", expected: { auditor: nothing, owner: nothing } },
  { route: "listProvisionerKeys", expected: { owner: nothing } },
];

/** Routes whose lists concern the one resource in the path: admitted callers may see all of it. */
export const aboutOneThing: ReadonlySet<string> = new Set([
  "getAgent",
  "getAgentLogs",
  "getAgentStartupLogs",
  "getBuild",
  "getBuildByNumber",
  "getBuildLogs",
  "getBuildTimings",
  "getContainers",
  "getDryRunLogs",
  "getExternalAuth",
  "getKeptRunOutput",
  "getKey",
  "getListeningPorts",
  "getMember",
  "getOrganization",
  "getRunOutput",
  "getTemplateUsers",
  "getTemplateVersionLogs",
  "getTokenByName",
  "getUser",
  "getUserOrganization",
  "getUserRoles",
  "getWorkspaceTimings",
  "listBuildParameters",
  "listBuildResources",
  "listBuilds",
  "listConnectionPaths",
  "listDryRunResources",
  "listFiles",
  "listKeptRuns",
  "listPortShares",
  "listRuns",
  "listSessions",
  "listTemplateVersionExternalAuth",
  "listTemplateVersionParameters",
  "listTemplateVersionPresets",
  "listTemplateVersionResources",
  "listTemplateVersionVariables",
  "listTemplateVersions",
  "listUserOrganizations",
  "listWaitingPrebuilds",
  "listWorkspaceConnections",
]);

/** Routes whose lists are the same for everyone: every user may see each template and organization. */
export const sameForAll: ReadonlySet<string> = new Set([
  "getDeploymentConfig",
  // No user has logged in to a provider here; external-auth.test.ts shows that links are the user's own.
  "listExternalAuth",
  "listExperiments",
  "getEntitlements",
  // All inboxes of the world are empty; `inbox.test.ts` covers others.
  "listInboxNotifications",
  "listOrganizationTemplates",
  "listOrganizations",
  "listProvisionerDaemons",
  "listRegions",
  "listRoles",
  "listTemplateExamples",
  "listTemplates",
]);
