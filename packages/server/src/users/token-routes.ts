import {
  createToken as createTokenRoute,
  deleteKey as deleteKeyRoute,
  expireKey as expireKeyRoute,
  getKey,
  getTokenByName,
  getTokenConfig,
  listTokens as listTokensRoute,
} from "@slipway/api";

import type { Database } from "../db/database.ts";
import type { Routes } from "../http/routes.ts";
import { findUser } from "./service.ts";
import {
  createToken,
  deleteKey,
  expireKey,
  listTokens,
  maxTokenLifetimeNs,
  readKey,
  readTokenByName,
  type TokenLimits,
} from "./token-service.ts";

/** Session keys and API tokens. Their user is who the caller may act for. */
export function addTokenRoutes(routes: Routes, db: Database, limits: TokenLimits): void {
  routes.user(getTokenConfig, async ({ params }, user) => ({
    max_token_lifetime: maxTokenLifetimeNs(await findUser(db, user, params.user), limits),
  }));
  routes.user(createTokenRoute, async ({ params, body }, user) => {
    const owner = await findUser(db, user, params.user);
    return { key: await createToken(db, user, owner, body, limits) };
  });
  routes.user(listTokensRoute, async ({ params, query }, user) => {
    const owner = await findUser(db, user, params.user);
    return listTokens(db, user, owner, {
      includeAll: query.include_all === "true",
      includeExpired: query.include_expired === "true",
    });
  });
  routes.user(getTokenByName, async ({ params }, user) =>
    readTokenByName(db, await findUser(db, user, params.user), params.name),
  );
  routes.user(getKey, async ({ params }, user) =>
    readKey(db, await findUser(db, user, params.user), params.key),
  );
  routes.user(deleteKeyRoute, async ({ params }, user) => {
    await deleteKey(db, user, await findUser(db, user, params.user), params.key);
    return null;
  });
  routes.user(expireKeyRoute, async ({ params }, user) => {
    await expireKey(db, user, await findUser(db, user, params.user), params.key);
    return null;
  });
}
