import {
  createFirstUser as createFirstUserRoute,
  createKey,
  getAuthMethods,
  getFirstUser,
  getUser,
  login,
  logout,
} from "@slipway/api";

import { createSession, endSession, keyLifetimes } from "../auth/service.ts";
import type { Database } from "../db/database.ts";
import { HttpError } from "../http/errors.ts";
import type { Routes } from "../http/routes.ts";
import { sessionCookie } from "../http/token.ts";
import { createFirstUser, findUser, hasUsers, logIn } from "./service.ts";
import { userJson } from "./user-json.ts";

export function addUserRoutes(routes: Routes, db: Database): void {
  routes.anyone(getFirstUser, async () => {
    if (await hasUsers(db)) return { message: "The initial user has already been created!" };
    throw new HttpError(404, "The initial user has not been created!");
  });

  routes.anyone(createFirstUserRoute, async ({ body }) => {
    const { username, email, password, name = "" } = body;
    const created = await createFirstUser(db, { username, email, password, name });
    return { user_id: created.userId, organization_id: created.organizationId };
  });

  routes.anyone(login, async ({ body, reply }) => {
    const token = await logIn(db, body.email, body.password);
    reply.header("Set-Cookie", `${sessionCookie}=${token}; Path=/; HttpOnly; SameSite=Lax`);
    return { session_token: token };
  });

  routes.anyone(getAuthMethods, async () => ({
    password: { enabled: true },
    github: { enabled: false, default_provider_configured: false },
    oidc: { enabled: false, signInText: "", iconUrl: "" },
  }));

  routes.user(logout, async ({ reply }, user) => {
    await endSession(db, user.keyId);
    reply.header("Set-Cookie", `${sessionCookie}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`);
    return { message: "Logged out!" };
  });

  routes.user(getUser, async ({ params }, user) => userJson(await findUser(db, user, params.user)));

  routes.user(createKey, async ({ params }, user) => {
    const owner = await findUser(db, user, params.user);
    return { key: await createSession(db, owner.id, keyLifetimes.commandSession) };
  });
}
