import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { MessageBody } from "../errors/api-error.ts";
import { JobLog, LogQuery } from "../jobs/job.ts";
import { OrganizationParams } from "../organizations/routes.ts";
import {
  CreateTemplateVersionRequest,
  Preset,
  TemplateVersion,
  TemplateVersionParameter,
} from "./template-version.ts";
import {
  CreateTemplateRequest,
  Template,
  TemplateUsers,
  UpdateActiveVersionRequest,
  UpdateTemplateRequest,
} from "./template.ts";

const TemplateParams = Type.Object({ template: Type.String() });
const VersionParams = Type.Object({ version: Type.String() });

export const listTemplates = defineRoute({
  method: "GET",
  path: "/templates",
  summary: "List templates",
  query: Type.Object({ q: Type.Optional(Type.String({ maxLength: 1024 })) }),
  response: Type.Array(Template),
});

export const getTemplate = defineRoute({
  method: "GET",
  path: "/templates/:template",
  summary: "Get a template",
  params: TemplateParams,
  response: Template,
});

export const listOrganizationTemplates = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates",
  summary: "List the templates of an organization",
  params: OrganizationParams,
  response: Type.Array(Template),
});

export const getTemplateByName = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:name",
  summary: "Get a template by name",
  params: Type.Object({ organization: Type.String(), name: Type.String() }),
  response: Template,
});

export const createTemplate = defineRoute({
  method: "POST",
  path: "/organizations/:organization/templates",
  summary: "Create a template from an imported version",
  params: OrganizationParams,
  body: CreateTemplateRequest,
  status: 201,
  response: Template,
});

export const updateTemplate = defineRoute({
  method: "PATCH",
  path: "/templates/:template",
  summary: "Change a template",
  params: TemplateParams,
  body: UpdateTemplateRequest,
  response: Template,
});

export const deleteTemplate = defineRoute({
  method: "DELETE",
  path: "/templates/:template",
  summary: "Delete a template that has no workspaces",
  params: TemplateParams,
  response: MessageBody,
});

export const getTemplateUsers = defineRoute({
  method: "GET",
  path: "/templates/:template/daus",
  summary: "Count the users of a template's workspaces by day",
  params: TemplateParams,
  query: Type.Object({ tz_offset: Type.Optional(Type.String({ maxLength: 8 })) }),
  response: TemplateUsers,
});

/** Returns the schema, for editors, which do not log in. */
export const getTemplateSchema = defineRoute({
  method: "GET",
  path: "/templates/schema",
  summary: "Get the JSON schema of a template's definition",
  caller: "anyone",
  response: Type.Unknown(),
});

export const listTemplateVersions = defineRoute({
  method: "GET",
  path: "/templates/:template/versions",
  summary: "List the versions of a template",
  params: TemplateParams,
  query: Type.Object({ include_archived: Type.Optional(Type.String({ maxLength: 8 })) }),
  response: Type.Array(TemplateVersion),
});

export const updateActiveVersion = defineRoute({
  method: "PATCH",
  path: "/templates/:template/versions",
  summary: "Make a version the active one",
  params: TemplateParams,
  body: UpdateActiveVersionRequest,
  response: MessageBody,
});

export const createTemplateVersion = defineRoute({
  method: "POST",
  path: "/organizations/:organization/templateversions",
  summary: "Import a file as a template version",
  params: OrganizationParams,
  body: CreateTemplateVersionRequest,
  status: 201,
  response: TemplateVersion,
});

export const getTemplateVersion = defineRoute({
  method: "GET",
  path: "/templateversions/:version",
  summary: "Get a template version",
  params: VersionParams,
  response: TemplateVersion,
});

export const getTemplateVersionLogs = defineRoute({
  method: "GET",
  path: "/templateversions/:version/logs",
  summary: "Read or follow the log of an import",
  kind: "json-or-socket",
  params: VersionParams,
  query: LogQuery,
  response: Type.Array(JobLog),
});

export const listTemplateVersionParameters = defineRoute({
  method: "GET",
  path: "/templateversions/:version/rich-parameters",
  summary: "List the parameters of a version",
  params: VersionParams,
  response: Type.Array(TemplateVersionParameter),
});

export const listTemplateVersionPresets = defineRoute({
  method: "GET",
  path: "/templateversions/:version/presets",
  summary: "List the presets of a version",
  params: VersionParams,
  response: Type.Array(Preset),
});

export const listTemplateVersionExternalAuth = defineRoute({
  method: "GET",
  path: "/templateversions/:version/external-auth",
  summary: "List the log-ins that a version needs",
  params: VersionParams,
  response: Type.Array(Type.Unknown()),
});
