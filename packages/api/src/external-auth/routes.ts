import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import {
  ExternalAuthDevice,
  ExternalAuthList,
  ExternalAuthRemoval,
  ExternalAuthState,
} from "./external-auth.ts";

const ProviderParams = Type.Object({ provider: Type.String({ maxLength: 64 }) });

export const listExternalAuth = defineRoute({
  method: "GET",
  path: "/external-auth",
  summary: "List the external auth providers, and the caller's links to them",
  scopes: ["user:read_personal"],
  response: ExternalAuthList,
});

export const getExternalAuth = defineRoute({
  method: "GET",
  path: "/external-auth/:provider",
  summary: "Get the state of the caller's link to an external auth provider",
  scopes: ["user:read_personal"],
  params: ProviderParams,
  response: ExternalAuthState,
});

export const deleteExternalAuth = defineRoute({
  method: "DELETE",
  path: "/external-auth/:provider",
  summary: "Remove the caller's link to an external auth provider and revoke its tokens",
  scopes: ["user:update_personal"],
  params: ProviderParams,
  response: ExternalAuthRemoval,
});

export const createExternalAuthDevice = defineRoute({
  method: "GET",
  path: "/external-auth/:provider/device",
  summary: "Begin a login by device flow",
  scopes: ["user:update_personal"],
  params: ProviderParams,
  response: ExternalAuthDevice,
});

export const redeemExternalAuthDevice = defineRoute({
  method: "POST",
  path: "/external-auth/:provider/device",
  summary: "Complete a login by device flow, once the user has entered the code",
  scopes: ["user:update_personal"],
  params: ProviderParams,
  body: Type.Object({ device_code: Type.String({ minLength: 1, maxLength: 4096 }) }),
  status: 204,
  response: Type.Null(),
});
