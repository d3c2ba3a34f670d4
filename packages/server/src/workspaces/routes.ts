import {
  createBuild,
  createWorkspace as createWorkspaceRoute,
  getBuildByNumber,
  getWorkspace,
  getWorkspaceByName,
  listBuilds,
  listWorkspaces as listWorkspacesRoute,
} from "@slipway/api";

import { isOwnerRole } from "../auth/rights.ts";
import { readBuildByNumber, readBuildsOf } from "../builds/read-service.ts";
import { notFound } from "../http/errors.ts";
import type { Routes } from "../http/routes.ts";
import { requireUuid } from "../http/uuid.ts";
import { findUser } from "../users/service.ts";
import { isOwn, parseSearch } from "./search.ts";
import {
  buildWorkspace,
  createWorkspace,
  describeWorkspace,
  listWorkspaces,
  optionalUuid,
  readBuildRequest,
  requireWorkspace,
  requireWorkspaceByName,
  type WorkspaceNeeds,
} from "./service.ts";

export function addWorkspaceRoutes(routes: Routes, needs: WorkspaceNeeds): void {
  const { db, clock } = needs;

  routes.user(listWorkspacesRoute, async ({ query }, user) => {
    const search = parseSearch(query.q ?? "");
    const ownerId = isOwn(search, user) || !isOwnerRole(user) ? user.id : undefined;
    const workspaces = await listWorkspaces(needs, { ownerId, name: search.name });
    const owner = search.owner === "me" ? user.username : search.owner;
    const found =
      owner === undefined
        ? workspaces
        : workspaces.filter(({ owner_name }) => owner_name.toLowerCase() === owner.toLowerCase());
    return { workspaces: found, count: found.length };
  });
  routes.user(getWorkspace, async ({ params, query }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    if (row.deleted && query.include_deleted !== "true") throw notFound();
    return describeWorkspace(db, row, clock.now());
  });
  routes.user(getWorkspaceByName, async ({ params, query }, user) => {
    const owner = await findUser(db, user, params.user);
    const includeDeleted = query.include_deleted === "true";
    const row = await requireWorkspaceByName(db, owner.id, params.name, includeDeleted);
    return describeWorkspace(db, row, clock.now());
  });
  routes.user(createWorkspaceRoute, async ({ params, body }, user) => {
    const owner = await findUser(db, user, params.user);
    return createWorkspace(needs, user, {
      ownerId: owner.id,
      name: body.name,
      templateId: optionalUuid(body.template_id),
      versionId: optionalUuid(body.template_version_id),
      presetId: optionalUuid(body.template_version_preset_id),
      parameters: body.rich_parameter_values ?? [],
    });
  });
  addBuildsOfWorkspace(routes, needs);
}

function addBuildsOfWorkspace(routes: Routes, needs: WorkspaceNeeds): void {
  const { db, clock } = needs;

  routes.user(createBuild, async ({ params, body }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    return buildWorkspace(needs, row, readBuildRequest(body, user.id));
  });
  routes.user(listBuilds, async ({ params }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    return [...(await readBuildsOf(db, row.id, clock.now()))];
  });
  routes.user(getBuildByNumber, async ({ params }, user) => {
    const owner = await findUser(db, user, params.user);
    const row = await requireWorkspaceByName(db, owner.id, params.name, true);
    const number = Number(params.number);
    if (!Number.isSafeInteger(number)) throw notFound();
    return readBuildByNumber(db, row.id, number, clock.now());
  });
}
