import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { DynamicParametersRequest, DynamicParametersResponse } from "./dynamic-parameters.ts";
import { TemplateVersionParameter } from "./template-version.ts";

const VersionParams = Type.Object({ version: Type.String() });

export const listTemplateVersionParameters = defineRoute({
  method: "GET",
  path: "/templateversions/:version/rich-parameters",
  summary: "List the parameters of a version",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(TemplateVersionParameter),
});

export const listTemplateVersionVariables = defineRoute({
  method: "GET",
  path: "/templateversions/:version/variables",
  summary: "List the variables of a version: there are none, templates have parameters",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(Type.Unknown()),
});

export const evaluateParameters = defineRoute({
  method: "POST",
  path: "/templateversions/:version/dynamic-parameters/evaluate",
  summary: "Evaluate parameters for given inputs",
  scopes: ["template:read"],
  params: VersionParams,
  body: DynamicParametersRequest,
  response: DynamicParametersResponse,
});

/** The first message answers no request and has the id -1; after it each request gets one answer. */
export const followParameters = defineRoute({
  method: "GET",
  path: "/templateversions/:version/dynamic-parameters",
  summary: "Evaluate parameters again and again, as a form does",
  scopes: ["template:read"],
  kind: "socket",
  params: VersionParams,
  query: Type.Object({ user_id: Type.Optional(Type.String({ maxLength: 64 })) }),
  response: DynamicParametersResponse,
});
