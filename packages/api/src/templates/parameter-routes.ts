import { Type } from "typebox";

import { maxParameterBodyBytes } from "../builds/build.ts";
import { defineRoute } from "../contract/route.ts";
import { DynamicParametersRequest, DynamicParametersResponse } from "./dynamic-parameters.ts";
import { TemplateVersionParameter } from "./template-version.ts";

const VersionParams = Type.Object({ version: Type.String() });

export const listTemplateVersionParameters = defineRoute({
  method: "GET",
  path: "/templateversions/:version/rich-parameters",
  summary: "List the parameters of a template version",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(TemplateVersionParameter),
});

export const listTemplateVersionVariables = defineRoute({
  method: "GET",
  path: "/templateversions/:version/variables",
  summary: "List the variables of a template version (always empty)",
  scopes: ["template:read"],
  params: VersionParams,
  response: Type.Array(Type.Unknown()),
});

export const evaluateParameters = defineRoute({
  method: "POST",
  path: "/templateversions/:version/dynamic-parameters/evaluate",
  summary: "Evaluate parameter values",
  scopes: ["template:read"],
  params: VersionParams,
  body: DynamicParametersRequest,
  maxBodyBytes: maxParameterBodyBytes,
  response: DynamicParametersResponse,
});

/** The first message answers no request and has the id -1; then each request gets one response. */
export const followParameters = defineRoute({
  method: "GET",
  path: "/templateversions/:version/dynamic-parameters",
  summary: "Evaluate parameter values over a WebSocket, as a form changes them",
  scopes: ["template:read"],
  kind: "socket",
  params: VersionParams,
  query: Type.Object({ user_id: Type.Optional(Type.String({ maxLength: 64 })) }),
  response: DynamicParametersResponse,
});
