import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { UserParams } from "./routes.ts";
import { ApiKey, CreateTokenRequest, ListedToken } from "./token.ts";
import { KeyResponse } from "./user.ts";

const KeyParams = Type.Object({ user: Type.String(), key: Type.String() });

export const createKey = defineRoute({
  method: "POST",
  path: "/users/:user/keys",
  summary: "Create a session key",
  scopes: ["api_key:create"],
  params: UserParams,
  status: 201,
  response: KeyResponse,
});

/**
 * The limits of tokens, in nanoseconds. A double cannot represent all such numbers exactly, but does represent those
 * in use.
 */
const TokenConfig = Type.Object({ max_token_lifetime: Type.Integer() });

export const getTokenConfig = defineRoute({
  method: "GET",
  path: "/users/:user/keys/tokens/tokenconfig",
  summary: "Get the maximum lifetime of a user's tokens",
  scopes: ["api_key:read"],
  params: UserParams,
  response: TokenConfig,
});

export const createToken = defineRoute({
  method: "POST",
  path: "/users/:user/keys/tokens",
  summary: "Create an API token",
  scopes: ["api_key:create"],
  params: UserParams,
  body: CreateTokenRequest,
  status: 201,
  response: KeyResponse,
});

export const listTokens = defineRoute({
  method: "GET",
  path: "/users/:user/keys/tokens",
  summary: "List API tokens",
  scopes: ["api_key:read"],
  params: UserParams,
  query: Type.Object({
    /** `true` includes the tokens of every user on whose behalf the caller may act. */
    include_all: Type.Optional(Type.String({ maxLength: 5 })),
    include_expired: Type.Optional(Type.String({ maxLength: 5 })),
  }),
  response: Type.Array(ListedToken),
});

export const getTokenByName = defineRoute({
  method: "GET",
  path: "/users/:user/keys/tokens/:name",
  summary: "Get an API token by name",
  scopes: ["api_key:read"],
  params: Type.Object({ user: Type.String(), name: Type.String() }),
  response: ApiKey,
});

export const getKey = defineRoute({
  method: "GET",
  path: "/users/:user/keys/:key",
  summary: "Get a session key or API token by id",
  scopes: ["api_key:read"],
  params: KeyParams,
  response: ApiKey,
});

export const deleteKey = defineRoute({
  method: "DELETE",
  path: "/users/:user/keys/:key",
  summary: "Delete a session key or API token",
  scopes: ["api_key:delete"],
  params: KeyParams,
  status: 204,
  response: Type.Null(),
});

export const expireKey = defineRoute({
  method: "PUT",
  path: "/users/:user/keys/:key/expire",
  summary: "Expire a session key or API token without deleting it",
  scopes: ["api_key:update"],
  params: KeyParams,
  status: 204,
  response: Type.Null(),
});
