import {
  extendWorkspace as extendRoute,
  favoriteWorkspace,
  renameWorkspace as renameRoute,
  reportWorkspaceUsage,
  resolveAutostart,
  unfavoriteWorkspace,
  updateAutomaticUpdates,
  updateAutostart,
  updateDormancy,
  updateTtl,
} from "@slipway/api";

import type { Routes } from "../../platform/http/routes.ts";
import { requireUuid } from "../../platform/http/uuid.ts";
import { hasParameterMismatch } from "./build-service.ts";
import { readWorkspace, requireWorkspace } from "./service.ts";
import type { WorkspaceNeeds } from "./service.ts";
import {
  extendWorkspace,
  noteUsage,
  renameWorkspace,
  setAutomaticUpdates,
  setAutostart,
  setDormant,
  setFavorite,
  setTtl,
} from "./settings-service.ts";

/** Adds the routes for the settings that a workspace's owner controls. */
export function addWorkspaceSettingsRoutes(routes: Routes, needs: WorkspaceNeeds): void {
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
  addStateRoutes(routes, needs);
}

function addStateRoutes(routes: Routes, needs: WorkspaceNeeds): void {
  const { db, clock } = needs;

  routes.user(updateDormancy, async ({ params, body, reply }, user) => {
    const id = requireUuid(params.workspace);
    const changed = await setDormant(needs, user, id, body.dormant);
    if (changed !== undefined) return changed;
    reply.code(304);
    return readWorkspace(db, user, id, clock.now());
  });
  routes.user(reportWorkspaceUsage, async ({ params }, user) => {
    await noteUsage(needs, user, requireUuid(params.workspace));
    return null;
  });
  routes.user(resolveAutostart, async ({ params }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    return { parameter_mismatch: await hasParameterMismatch(db, row) };
  });
}
