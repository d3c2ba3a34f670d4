import {
  extendWorkspace as extendRoute,
  favoriteWorkspace,
  getWorkspace,
  getWorkspaceByName,
  listWorkspaces as listWorkspacesRoute,
  renameWorkspace as renameRoute,
  reportWorkspaceUsage,
  resolveAutostart,
  unfavoriteWorkspace,
  updateAutomaticUpdates,
  updateAutostart,
  updateDormancy,
  updateTtl,
} from "@slipway/api/workspaces/routes";

import { readPage } from "../../platform/fields/paging.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { addWorkspaceBuildRoutes, type WorkspaceRouteNeeds } from "./build-routes.ts";
import { hasParameterMismatch } from "./build-service.ts";
import { setDormant } from "./dormancy-service.ts";
import { listWorkspaces } from "./list-service.ts";
import { addPortShareRoutes } from "./port-shares/port-share-routes.ts";
import { parseSearch } from "./search.ts";
import {
  describeWorkspace,
  findOwner,
  readWorkspace,
  requireWorkspace,
  requireWorkspaceByName,
  type WorkspaceNeeds,
} from "./service.ts";
import {
  extendWorkspace,
  noteUsage,
  renameWorkspace,
  setAutomaticUpdates,
  setAutostart,
  setFavorite,
  setTtl,
} from "./settings-service.ts";
import { addWatchRoutes } from "./watch-routes.ts";

export function addWorkspaceRoutes(routes: Routes, needs: WorkspaceRouteNeeds): void {
  const { db, clock } = needs;

  routes.user(listWorkspacesRoute, ({ query }, user) =>
    listWorkspaces(needs, user, parseSearch(query.q ?? ""), {
      ...readPage(query),
      sort: query.sort,
      group: query.group,
    }),
  );
  routes.user(getWorkspace, ({ params, query }, user) =>
    readWorkspace(db, user, requireUuid(params.workspace), {
      now: clock.now(),
      includeDeleted: query.include_deleted === "true",
    }),
  );
  routes.user(getWorkspaceByName, async ({ params, query }, user) => {
    const owner = await findOwner(db, user, params.user);
    const includeDeleted = query.include_deleted === "true";
    const row = await requireWorkspaceByName(db, owner.id, params.name, includeDeleted);
    return describeWorkspace(db, row, clock.now());
  });
  addSettingsRoutes(routes, needs);
  addStateRoutes(routes, needs);
  addWorkspaceBuildRoutes(routes, needs);
  addWatchRoutes(routes, needs);
  addPortShareRoutes(routes, needs);
}

/** Adds the routes for the settings that a workspace's owner controls. */
function addSettingsRoutes(routes: Routes, needs: WorkspaceNeeds): void {
  routes.user(renameRoute, async ({ params, body }, user) => {
    await renameWorkspace(needs, user, requireUuid(params.workspace), body.name);
    return null;
  });
  routes.user(favoriteWorkspace, async ({ params }, user) => {
    await setFavorite(needs, user, requireUuid(params.workspace), true);
    return null;
  });
  routes.user(unfavoriteWorkspace, async ({ params }, user) => {
    await setFavorite(needs, user, requireUuid(params.workspace), false);
    return null;
  });
  routes.user(updateAutomaticUpdates, async ({ params, body }, user) => {
    await setAutomaticUpdates(needs, user, requireUuid(params.workspace), body.automatic_updates);
    return null;
  });
  routes.user(updateTtl, async ({ params, body }, user) => {
    await setTtl(needs, user, requireUuid(params.workspace), body.ttl_ms);
    return null;
  });
  routes.user(updateAutostart, async ({ params, body }, user) => {
    await setAutostart(needs, user, requireUuid(params.workspace), body.schedule);
    return null;
  });
  routes.user(extendRoute, async ({ params, body, reply }, user) => {
    const id = requireUuid(params.workspace);
    const isNew = await extendWorkspace(needs, user, id, body.deadline);
    if (!isNew) reply.code(304);
    return { message: `Deadline updated to ${body.deadline}.` };
  });
}

function addStateRoutes(
  routes: Routes,
  needs: Pick<WorkspaceRouteNeeds, keyof WorkspaceNeeds | "parameters">,
): void {
  const { db, clock } = needs;

  routes.user(updateDormancy, async ({ params, body, reply }, user) => {
    const id = requireUuid(params.workspace);
    const changed = await setDormant(needs, user, id, body.dormant);
    if (changed !== undefined) return changed;
    reply.code(304);
    return readWorkspace(db, user, id, { now: clock.now(), includeDeleted: true });
  });
  routes.user(reportWorkspaceUsage, async ({ params }, user) => {
    await noteUsage(needs, user, requireUuid(params.workspace));
    return null;
  });
  routes.user(resolveAutostart, async ({ params, raw }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    const hasMismatch = await routes.waitFor(raw, (signal) =>
      hasParameterMismatch(needs, user.id, row, signal),
    );
    return { parameter_mismatch: hasMismatch };
  });
}
