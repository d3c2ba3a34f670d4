import {
  activateUser,
  createFirstUser as createFirstUserRoute,
  createUser as createUserRoute,
  deleteUser as deleteUserRoute,
  getAuthMethods,
  getFirstUser,
  getUser,
  getUserRoles,
  listRoles as listRolesRoute,
  listUsers as listUsersRoute,
  login,
  logout,
  suspendUser,
  updatePassword as updatePasswordRoute,
  updateProfile as updateProfileRoute,
  updateUserRoles,
} from "@slipway/api/users/routes";
import type { AuthMethods, LogInMethod } from "@slipway/api/users/user";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { TokenLimits } from "../../platform/auth/token-lifetime.ts";
import { NotFound } from "../../platform/errors/errors.ts";
import { readPage } from "../../platform/fields/paging.ts";
import { originOf } from "../../platform/http/request-origin.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { createFirstUser, hasUsers } from "./admin-service.ts";
import { createUser, deleteUser, setRoles, setStatus, updateProfile } from "./change-service.ts";
import { addKeyRoutes } from "./key-routes.ts";
import { setSessionCookie } from "./log-in-routes.ts";
import { updatePassword } from "./password-service.ts";
import { parseUserSearch } from "./search.ts";
import { findVisibleUser, listRoles, listUsers, userJson } from "./service.ts";
import { addSessionRoutes } from "./session-routes.ts";
import { logIn, type LogInNeeds, logOut } from "./session-service.ts";

export function addUserRoutes(
  routes: Routes,
  needs: LogInNeeds & {
    readonly limits: TokenLimits;
    readonly accessUrl: () => string;
    readonly logInMethods: readonly LogInMethod[];
    /** Returns the address at which a user's browser logs out at their provider; undefined if there is none. */
    readonly logOutUrl: (userId: string) => Promise<string | undefined>;
  },
): void {
  const { db, limits, accessUrl } = needs;
  const setCookie = (raw: FastifyRequest, reply: FastifyReply, token: string): void =>
    setSessionCookie(raw, reply, { token, accessUrl: accessUrl() });
  routes.anyone(getFirstUser, async () => {
    if (await hasUsers(db)) return { message: "The initial user has already been created!" };
    throw new NotFound("The initial user has not been created!");
  });

  routes.anyone(createFirstUserRoute, async ({ body }) => {
    const { username, email, password, name = "" } = body;
    const created = await createFirstUser(db, { username, email, password, name });
    return { user_id: created.userId, organization_id: created.organizationId };
  });

  routes.anyone(login, async ({ body, raw, reply }) => {
    const { token } = await logIn(needs, body, originOf(raw, login.status));
    setCookie(raw, reply, token);
    return { session_token: token };
  });

  routes.anyone(getAuthMethods, async () => authMethods(needs.logInMethods));

  routes.user(logout, async ({ raw, reply }, user) => {
    const url = await needs.logOutUrl(user.id);
    await logOut(db, user);
    setCookie(raw, reply, "");
    return { message: "Logged out!", ...(url === undefined ? {} : { provider_logout_url: url }) };
  });
  addPeopleRoutes(routes, needs);
  addKeyRoutes(routes, { db, limits });
  addSessionRoutes(routes, { db, limits });
}

/** Describes the ways to log in. Stock clients know one provider of each type. */
function authMethods(providers: readonly LogInMethod[]): AuthMethods {
  const oidc = providers.find(({ type }) => type === "oidc");
  const hasGitHub = providers.some(({ type }) => type === "github");
  return {
    password: { enabled: true },
    github: { enabled: hasGitHub, default_provider_configured: false },
    oidc: {
      enabled: oidc !== undefined,
      signInText: oidc?.display_name ?? "",
      iconUrl: oidc?.icon_url ?? "",
    },
    providers: [...providers],
  };
}

function addPeopleRoutes(routes: Routes, needs: LogInNeeds): void {
  const { db } = needs;
  routes.user(listUsersRoute, ({ query }, user) =>
    listUsers(db, user, parseUserSearch(query.q ?? ""), readPage(query)),
  );
  routes.user(createUserRoute, async ({ body }, user) =>
    userJson(await createUser(db, user, body)),
  );
  routes.user(listRolesRoute, async (_request, user) => listRoles(user));
  routes.user(getUser, async ({ params }, user) =>
    userJson(await findVisibleUser(db, user, params.user)),
  );
  routes.user(deleteUserRoute, async ({ params }, user) => {
    await deleteUser(db, user, params.user);
    return { message: "User has been deleted!" };
  });
  routes.user(updateProfileRoute, async ({ params, body }, user) => {
    const { username, name = "" } = body;
    return userJson(await updateProfile(db, user, params.user, { username, name }));
  });
  routes.user(updatePasswordRoute, async ({ params, body }, user) => {
    const passwords = { old: body.old_password ?? "", new: body.password };
    await updatePassword(needs, user, params.user, passwords);
    return null;
  });
  routes.user(suspendUser, async ({ params }, user) =>
    userJson(await setStatus(db, user, params.user, "suspended")),
  );
  routes.user(activateUser, async ({ params }, user) =>
    userJson(await setStatus(db, user, params.user, "active")),
  );
  routes.user(getUserRoles, async ({ params }, user) => {
    const { roles, organization_ids: ids } = await findVisibleUser(db, user, params.user);
    return { roles, organization_roles: Object.fromEntries(ids.map((id) => [id, []])) };
  });
  routes.user(updateUserRoles, async ({ params, body }, user) =>
    userJson(await setRoles(needs, user, params.user, body)),
  );
}
