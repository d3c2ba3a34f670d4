import { Type } from "typebox";

import { MessageBody } from "../contract/api-error.ts";
import { defineRoute } from "../contract/route.ts";
import { OrganizationParams } from "../organizations/routes.ts";
import {
  TemplateExample,
  CreateTemplateRequest,
  Template,
  TemplateUsers,
  UpdateTemplateRequest,
} from "./template.ts";

const TemplateParams = Type.Object({ template: Type.String() });

export const listTemplates = defineRoute({
  method: "GET",
  path: "/templates",
  summary: "List templates",
  scopes: ["template:read"],
  query: Type.Object({ q: Type.Optional(Type.String({ maxLength: 1024 })) }),
  response: Type.Array(Template),
});

export const getTemplate = defineRoute({
  method: "GET",
  path: "/templates/:template",
  summary: "Get a template",
  scopes: ["template:read"],
  params: TemplateParams,
  response: Template,
});

export const listOrganizationTemplates = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates",
  summary: "List the templates of an organization",
  scopes: ["template:read"],
  params: OrganizationParams,
  response: Type.Array(Template),
});

export const getTemplateByName = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/:name",
  summary: "Get a template by name",
  scopes: ["template:read"],
  params: Type.Object({ organization: Type.String(), name: Type.String() }),
  response: Template,
});

export const createTemplate = defineRoute({
  method: "POST",
  path: "/organizations/:organization/templates",
  summary: "Create a template from an imported version",
  scopes: ["template:create"],
  params: OrganizationParams,
  body: CreateTemplateRequest,
  status: 201,
  response: Template,
});

export const listTemplateExamples = defineRoute({
  method: "GET",
  path: "/organizations/:organization/templates/examples",
  summary: "List starter templates",
  scopes: ["template:read"],
  params: OrganizationParams,
  response: Type.Array(TemplateExample),
});

export const updateTemplate = defineRoute({
  method: "PATCH",
  path: "/templates/:template",
  summary: "Update a template",
  scopes: ["template:update"],
  params: TemplateParams,
  body: UpdateTemplateRequest,
  response: Template,
});

export const deleteTemplate = defineRoute({
  method: "DELETE",
  path: "/templates/:template",
  summary: "Delete a template without workspaces",
  scopes: ["template:delete"],
  params: TemplateParams,
  response: MessageBody,
});

export const getTemplateUsers = defineRoute({
  method: "GET",
  path: "/templates/:template/daus",
  summary: "Get the daily active users of a template",
  scopes: ["template:read"],
  params: TemplateParams,
  query: Type.Object({ tz_offset: Type.Optional(Type.String({ maxLength: 8 })) }),
  response: TemplateUsers,
});

/** Public, because editors fetch it without logging in. */
export const getTemplateSchema = defineRoute({
  method: "GET",
  path: "/templates/schema",
  summary: "Get the JSON schema of template definitions",
  caller: "anyone",
  response: Type.Unknown(),
});
