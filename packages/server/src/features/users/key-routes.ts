import {
  createKey,
  createToken as createTokenRoute,
  deleteKey as deleteKeyRoute,
  expireKey as expireKeyRoute,
  getKey,
  getTokenByName,
  getTokenConfig,
  listTokens as listTokensRoute,
} from "@slipway/api/users/key-routes";

import type { Routes } from "../../platform/http/routes.ts";
import { deleteKey, expireKey, listTokens, readKey, readTokenByName } from "./key-service.ts";
import { findUser } from "./service.ts";
import { maxTokenLifetimeNs } from "./token-request.ts";
import { createSessionKey, createToken, type TokenNeeds } from "./token-service.ts";

/** Adds the routes for session keys and API tokens. Their user is one for whom the caller may act. */
export function addKeyRoutes(routes: Routes, needs: TokenNeeds): void {
  const { db, limits } = needs;
  routes.user(createKey, async ({ params }, user) => {
    const owner = await findUser(db, user, params.user);
    return { key: await createSessionKey(needs, user, owner) };
  });
  routes.user(getTokenConfig, async ({ params }, user) => ({
    max_token_lifetime: maxTokenLifetimeNs(user, await findUser(db, user, params.user), limits),
  }));
  routes.user(createTokenRoute, async ({ params, body }, user) => {
    const owner = await findUser(db, user, params.user);
    return { key: await createToken(needs, user, owner, body) };
  });
  routes.user(listTokensRoute, async ({ params, query }, user) => {
    const owner = await findUser(db, user, params.user);
    return listTokens(needs, user, owner, {
      includeAll: query.include_all === "true",
      includeExpired: query.include_expired === "true",
    });
  });
  routes.user(getTokenByName, async ({ params }, user) =>
    readTokenByName(needs, await findUser(db, user, params.user), params.name),
  );
  routes.user(getKey, async ({ params }, user) =>
    readKey(needs, await findUser(db, user, params.user), params.key),
  );
  routes.user(deleteKeyRoute, async ({ params }, user) => {
    await deleteKey(needs, user, await findUser(db, user, params.user), params.key);
    return null;
  });
  routes.user(expireKeyRoute, async ({ params }, user) => {
    await expireKey(needs, user, await findUser(db, user, params.user), params.key);
    return null;
  });
}
