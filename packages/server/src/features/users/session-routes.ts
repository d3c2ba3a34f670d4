import { deleteSessions, listSessions } from "@slipway/api/users/session-routes";

import type { Routes } from "../../platform/http/routes.ts";
import { endOtherSessions, readSessions } from "./key-service.ts";
import { findUser } from "./service.ts";
import type { TokenNeeds } from "./token-service.ts";

/** Adds the routes for the sessions of a user for whom the caller may act. Those for keys revoke single ones. */
export function addSessionRoutes(routes: Routes, needs: TokenNeeds): void {
  const { db } = needs;
  routes.user(listSessions, async ({ params }, user) =>
    readSessions(needs, user, await findUser(db, user, params.user)),
  );
  routes.user(deleteSessions, async ({ params }, user) => {
    await endOtherSessions(needs, user, await findUser(db, user, params.user));
    return null;
  });
}
