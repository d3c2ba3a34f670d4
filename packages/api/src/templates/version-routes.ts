import { Type } from "typebox";

import { WorkspaceResource } from "../builds/resource.ts";
import { MessageBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import { TemplateVersionExternalAuth } from "../external-auth/external-auth.ts";
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
  summary: "Create a template version from an uploaded file or a starter template",
  scopes: ["template:create", "template:update"],
  params: OrganizationParams,
  body: CreateTemplateVersionRequest,
  status: 201,
  response: TemplateVersion,
});

export const updateActiveVersion = defineRoute({
  method: "PATCH",
  path: "/templates/:template/versions",
  summary: "Set the active version of a template",
  scopes: ["template:update"],
  params: TemplateParams,
  body: UpdateActiveVersionRequest,
  response: MessageBody,
});

export const archiveTemplateVersions = defineRoute({
  method: "POST",
  path: "/templates/:template/versions/archive",
  summary: "Archive the unused versions of a template",
  scopes: ["template:update"],
  params: TemplateParams,
  body: ArchiveVersionsRequest,
  response: ArchiveVersionsResponse,
});

export const getTemplateVersionByName = defineRoute({
  method: "GET",
  path: "/templates/:template/versions/:name",
  summary: "Get a template version by name",
  scopes: ["template:read"],
  params: Type.Object({ template: Type.String(), name: Type.String() }),
  response: TemplateVersion,
});

export const getTemplateVersionByNames = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:template/versions/:name",
  summary: "Get a template version by template and version name",
  scopes: ["template:read"],
  params: NamedVersionParams,
  response: TemplateVersion,
});

export const getPreviousTemplateVersion = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:template/versions/:name/previous",
  summary: "Get the previous version of a template",
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
  summary: "Update the name or message of a template version",
  scopes: ["template:update"],
  params: VersionParams,
  body: UpdateTemplateVersionRequest,
  response: TemplateVersion,
});

export const getTemplateVersionLogs = defineRoute({
  method: "GET",
  path: "/templateversions/:version/logs",
  summary: "Read or follow the log of a template import",
  scopes: ["template:read"],
  kind: "json-or-socket",
  params: VersionParams,
  query: LogQuery,
  response: Type.Array(JobLog),
});

export const cancelTemplateVersion = defineRoute({
  method: "PATCH",
  path: "/templateversions/:version/cancel",
  summary: "Cancel a template import",
  scopes: ["template:update"],
  params: VersionParams,
  response: MessageBody,
});

export const archiveTemplateVersion = defineRoute({
  method: "POST",
  path: "/templateversions/:version/archive",
  summary: "Archive an unused template version",
  scopes: ["template:update"],
  params: VersionParams,
  response: MessageBody,
});

export const unarchiveTemplateVersion = defineRoute({
  method: "POST",
  path: "/templateversions/:version/unarchive",
  summary: "Unarchive a template version",
  scopes: ["template:update"],
  params: VersionParams,
  response: MessageBody,
});

export const listTemplateVersionResources = defineRoute({
  method: "GET",
  path: "/templateversions/:version/resources",
  summary: "List the planned resources of a template version",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(WorkspaceResource),
});

export const listTemplateVersionPresets = defineRoute({
  method: "GET",
  path: "/templateversions/:version/presets",
  summary: "List the presets of a template version",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(Preset),
});

export const listTemplateVersionExternalAuth = defineRoute({
  method: "GET",
  path: "/templateversions/:version/external-auth",
  summary: "List the external auth providers that a template version asks for",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(TemplateVersionExternalAuth),
});

export const diffTemplateVersions = defineRoute({
  method: "GET",
  path: "/templateversions/:version/diff",
  summary: "Compare a template version with another one (default: the previous one)",
  scopes: ["template:read"],
  params: VersionParams,
  query: Type.Object({ from: Type.Optional(Type.String({ maxLength: 64 })) }),
  response: VersionDiff,
});
