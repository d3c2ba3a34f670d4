import { Type } from "typebox";

import { WorkspaceResource } from "../builds/resource.ts";
import { defineRoute } from "../contract/route.ts";
import { MessageBody } from "../errors/api-error.ts";
import {
  ArchiveVersionsRequest,
  ArchiveVersionsResponse,
  TemplateVersion,
  UpdateTemplateVersionRequest,
  VersionDiff,
} from "./template-version.ts";

const VersionParams = Type.Object({ version: Type.String() });
const NamedVersionParams = Type.Object({
  organization: Type.String(),
  template: Type.String(),
  name: Type.String(),
});

export const getTemplateVersionByName = defineRoute({
  method: "GET",
  path: "/templates/:template/versions/:name",
  summary: "Get a version of a template by name",
  params: Type.Object({ template: Type.String(), name: Type.String() }),
  response: TemplateVersion,
});

export const getTemplateVersionByNames = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:template/versions/:name",
  summary: "Get a version by the names of its template and its own",
  params: NamedVersionParams,
  response: TemplateVersion,
});

export const getPreviousTemplateVersion = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:template/versions/:name/previous",
  summary: "Get the version before a version",
  params: NamedVersionParams,
  response: TemplateVersion,
});

export const updateTemplateVersion = defineRoute({
  method: "PATCH",
  path: "/templateversions/:version",
  summary: "Rename a version or change its message",
  params: VersionParams,
  body: UpdateTemplateVersionRequest,
  response: TemplateVersion,
});

export const cancelTemplateVersion = defineRoute({
  method: "PATCH",
  path: "/templateversions/:version/cancel",
  summary: "Cancel an import",
  params: VersionParams,
  response: MessageBody,
});

export const archiveTemplateVersion = defineRoute({
  method: "POST",
  path: "/templateversions/:version/archive",
  summary: "Hide a version that nothing uses",
  params: VersionParams,
  response: MessageBody,
});

export const unarchiveTemplateVersion = defineRoute({
  method: "POST",
  path: "/templateversions/:version/unarchive",
  summary: "Show a hidden version again",
  params: VersionParams,
  response: MessageBody,
});

export const archiveTemplateVersions = defineRoute({
  method: "POST",
  path: "/templates/:template/versions/archive",
  summary: "Hide the versions that nothing uses",
  params: Type.Object({ template: Type.String() }),
  body: ArchiveVersionsRequest,
  response: ArchiveVersionsResponse,
});

export const listTemplateVersionResources = defineRoute({
  method: "GET",
  path: "/templateversions/:version/resources",
  summary: "List what a version plans",
  params: VersionParams,
  response: Type.Array(WorkspaceResource),
});

export const listTemplateVersionVariables = defineRoute({
  method: "GET",
  path: "/templateversions/:version/variables",
  summary: "List the variables of a version: there are none, templates have parameters",
  params: VersionParams,
  response: Type.Array(Type.Unknown()),
});

export const diffTemplateVersions = defineRoute({
  method: "GET",
  path: "/templateversions/:version/diff",
  summary: "Compare a version with another one, or with the one before",
  params: VersionParams,
  query: Type.Object({ from: Type.Optional(Type.String({ maxLength: 64 })) }),
  response: VersionDiff,
});
