import { Type } from "typebox";

import { WorkspaceResource } from "../builds/resource.ts";
import { defineRoute } from "../contract/route.ts";
import { MessageBody } from "../errors/api-error.ts";
import { JobLog, LogQuery } from "../jobs/job.ts";
import { OrganizationParams } from "../organizations/routes.ts";
import {
  ArchiveVersionsRequest,
  ArchiveVersionsResponse,
  CreateTemplateVersionRequest,
  Preset,
  TemplateVersion,
  UpdateTemplateVersionRequest,
  VersionDiff,
} from "./template-version.ts";
import { UpdateActiveVersionRequest } from "./template.ts";

const TemplateParams = Type.Object({ template: Type.String() });
const VersionParams = Type.Object({ version: Type.String() });
const NamedVersionParams = Type.Object({
  organization: Type.String(),
  template: Type.String(),
  name: Type.String(),
});

export const listTemplateVersions = defineRoute({
  method: "GET",
  path: "/templates/:template/versions",
  summary: "List the versions of a template",
  scopes: ["template:read"],
  params: TemplateParams,
  query: Type.Object({ include_archived: Type.Optional(Type.String({ maxLength: 8 })) }),
  response: Type.Array(TemplateVersion),
});

export const createTemplateVersion = defineRoute({
  method: "POST",
  path: "/organizations/:organization/templateversions",
  summary: "Import a file as a template version",
  scopes: ["template:create", "template:update"],
  params: OrganizationParams,
  body: CreateTemplateVersionRequest,
  status: 201,
  response: TemplateVersion,
});

export const updateActiveVersion = defineRoute({
  method: "PATCH",
  path: "/templates/:template/versions",
  summary: "Make a version the active one",
  scopes: ["template:update"],
  params: TemplateParams,
  body: UpdateActiveVersionRequest,
  response: MessageBody,
});

export const archiveTemplateVersions = defineRoute({
  method: "POST",
  path: "/templates/:template/versions/archive",
  summary: "Hide the versions that nothing uses",
  scopes: ["template:update"],
  params: TemplateParams,
  body: ArchiveVersionsRequest,
  response: ArchiveVersionsResponse,
});

export const getTemplateVersionByName = defineRoute({
  method: "GET",
  path: "/templates/:template/versions/:name",
  summary: "Get a version of a template by name",
  scopes: ["template:read"],
  params: Type.Object({ template: Type.String(), name: Type.String() }),
  response: TemplateVersion,
});

export const getTemplateVersionByNames = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:template/versions/:name",
  summary: "Get a version by the names of its template and its own",
  scopes: ["template:read"],
  params: NamedVersionParams,
  response: TemplateVersion,
});

export const getPreviousTemplateVersion = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:template/versions/:name/previous",
  summary: "Get the version before a version",
  scopes: ["template:read"],
  params: NamedVersionParams,
  response: TemplateVersion,
});

export const getTemplateVersion = defineRoute({
  method: "GET",
  path: "/templateversions/:version",
  summary: "Get a template version",
  scopes: ["template:read"],
  params: VersionParams,
  response: TemplateVersion,
});

export const updateTemplateVersion = defineRoute({
  method: "PATCH",
  path: "/templateversions/:version",
  summary: "Rename a version or change its message",
  scopes: ["template:update"],
  params: VersionParams,
  body: UpdateTemplateVersionRequest,
  response: TemplateVersion,
});

export const getTemplateVersionLogs = defineRoute({
  method: "GET",
  path: "/templateversions/:version/logs",
  summary: "Read or follow the log of an import",
  scopes: ["template:read"],
  kind: "json-or-socket",
  params: VersionParams,
  query: LogQuery,
  response: Type.Array(JobLog),
});

export const cancelTemplateVersion = defineRoute({
  method: "PATCH",
  path: "/templateversions/:version/cancel",
  summary: "Cancel an import",
  scopes: ["template:update"],
  params: VersionParams,
  response: MessageBody,
});

export const archiveTemplateVersion = defineRoute({
  method: "POST",
  path: "/templateversions/:version/archive",
  summary: "Hide a version that nothing uses",
  scopes: ["template:update"],
  params: VersionParams,
  response: MessageBody,
});

export const unarchiveTemplateVersion = defineRoute({
  method: "POST",
  path: "/templateversions/:version/unarchive",
  summary: "Show a hidden version again",
  scopes: ["template:update"],
  params: VersionParams,
  response: MessageBody,
});

export const listTemplateVersionResources = defineRoute({
  method: "GET",
  path: "/templateversions/:version/resources",
  summary: "List what a version plans",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(WorkspaceResource),
});

export const listTemplateVersionPresets = defineRoute({
  method: "GET",
  path: "/templateversions/:version/presets",
  summary: "List the presets of a version",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(Preset),
});

export const listTemplateVersionExternalAuth = defineRoute({
  method: "GET",
  path: "/templateversions/:version/external-auth",
  summary: "List the log-ins that a version needs",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(Type.Unknown()),
});

export const diffTemplateVersions = defineRoute({
  method: "GET",
  path: "/templateversions/:version/diff",
  summary: "Compare a version with another one, or with the one before",
  scopes: ["template:read"],
  params: VersionParams,
  query: Type.Object({ from: Type.Optional(Type.String({ maxLength: 64 })) }),
  response: VersionDiff,
});
