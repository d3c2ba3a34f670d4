import { listProvisionerDaemons } from "@slipway/api/organizations/provisioner-routes";
import { listTemplates } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { listTemplateVersions } from "@slipway/api/templates/version-routes";
import { getAuthMethods, listUsers } from "@slipway/api/users/routes";
import type { User } from "@slipway/api/users/user";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";

import { readPages } from "../../../command/search-pages.ts";
import { isFinal } from "../../../resources/builds/follow-job.ts";
import type { PatientClient } from "./patient-client.ts";

export interface TargetVersion {
  readonly id: string;
  /** False if its import failed. */
  readonly isImported: boolean;
}

export interface TargetTemplate {
  readonly id: string;
  readonly name: string;
  readonly activeVersionId: string;
  /** The version that was pushed first, which is active until another one is. */
  readonly firstVersionId: string | undefined;
  /** True if nothing was changed since it was created. */
  readonly isUntouched: boolean;
  readonly isDeprecated: boolean;
  readonly versions: ReadonlyMap<string, TargetVersion>;
}

export interface TargetWorkspace {
  readonly id: string;
  readonly templateName: string;
  readonly isFavorite: boolean;
  readonly isDormant: boolean;
  readonly ttlMs: number | null;
  /** True if nothing was changed since it was created. */
  readonly isUntouched: boolean;
}

/** The resources of the server that imports, by their names in lower case. */
export interface TargetDeployment {
  readonly organizationId: string;
  /** The name of the user who imports. */
  readonly username: string;
  readonly drivers: ReadonlySet<string>;
  /** The types of users who can log in. */
  readonly loginTypes: ReadonlySet<string>;
  readonly users: ReadonlyMap<string, User>;
  readonly usersByEmail: ReadonlyMap<string, User>;
  readonly templates: ReadonlyMap<string, TargetTemplate>;
  /** By `workspaceKey`. */
  readonly workspaces: ReadonlyMap<string, TargetWorkspace>;
}

/** Returns the key of a name: names differ in more than the case of their letters. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

export function workspaceKey(workspace: {
  readonly ownerName: string;
  readonly name: string;
}): string {
  return nameKey(`${workspace.ownerName}/${workspace.name}`);
}

/** All entries of a list. */
const all = { limit: Infinity, offset: 0 };

/** Reads what an import may find on the server that it imports into. */
export async function readTarget(
  server: PatientClient,
  { organizationId, username }: Pick<TargetDeployment, "organizationId" | "username">,
): Promise<TargetDeployment> {
  const users = await readPages(
    all,
    async (query) => (await server.call(listUsers, { query })).users,
  );
  const workspaces = await readPages(all, async (query) => {
    const page = await server.call(listWorkspaces, { query });
    return page.workspaces.map((one) => [keyOf(one), targetWorkspace(one)] as const);
  });
  return {
    organizationId,
    username,
    drivers: await readDrivers(server, organizationId),
    loginTypes: await readLoginTypes(server),
    users: new Map(users.map((user) => [nameKey(user.username), user])),
    usersByEmail: new Map(users.map((user) => [nameKey(user.email), user])),
    templates: await readTemplates(server),
    workspaces: new Map(workspaces),
  };
}

async function readDrivers(server: PatientClient, organization: string): Promise<Set<string>> {
  const params = { organization };
  const workers = await server.call(listProvisionerDaemons, { params, query: { limit: "1000" } });
  return new Set(workers.flatMap(({ provisioners }) => provisioners));
}

async function readLoginTypes(server: PatientClient): Promise<Set<string>> {
  const { password, github, oidc } = await server.call(getAuthMethods);
  return new Set([
    "none",
    ...(password.enabled ? ["password"] : []),
    ...(github.enabled ? ["github"] : []),
    ...(oidc.enabled ? ["oidc"] : []),
  ]);
}

async function readTemplates(server: PatientClient): Promise<Map<string, TargetTemplate>> {
  const templates = new Map<string, TargetTemplate>();
  for (const template of await server.call(listTemplates))
    templates.set(nameKey(template.name), await targetTemplate(server, template));
  return templates;
}

async function targetTemplate(server: PatientClient, template: Template): Promise<TargetTemplate> {
  const { id, name } = template;
  const versions = await server.call(listTemplateVersions, {
    params: { template: id },
    query: { include_archived: "true" },
  });
  const [first] = versions.toSorted((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at));
  return {
    id,
    name,
    activeVersionId: template.active_version_id,
    firstVersionId: first?.id,
    isUntouched: template.created_at === template.updated_at,
    isDeprecated: template.deprecated,
    versions: new Map(
      versions.map(({ name: versionName, id: versionId, job }) => [
        versionName,
        { id: versionId, isImported: job.status === "succeeded" || !isFinal(job) },
      ]),
    ),
  };
}

export function targetWorkspace(workspace: Workspace): TargetWorkspace {
  return {
    id: workspace.id,
    templateName: workspace.template_name,
    ttlMs: workspace.ttl_ms,
    isFavorite: workspace.favorite,
    isDormant: workspace.dormant_at !== null,
    isUntouched: workspace.created_at === workspace.updated_at,
  };
}

function keyOf({ owner_name: ownerName, name }: Workspace): string {
  return workspaceKey({ ownerName, name });
}
