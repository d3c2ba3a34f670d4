import {
  createBuild,
  createWorkspace as createWorkspaceRoute,
  getBuildByNumber,
  getWorkspace,
  getWorkspaceByName,
  getWorkspaceTimings,
  listBuilds,
  listWorkspaces as listWorkspacesRoute,
  prebuildsUserId,
  prebuildsUsername,
} from "@slipway/api";

import { requireScope } from "../../platform/auth/key-limits.ts";
import { maySeeWorkspacesOf } from "../../platform/auth/rights.ts";
import type { Database } from "../../platform/db/database.ts";
import type { UserCaller } from "../../platform/http/caller.ts";
import { notFound } from "../../platform/http/errors.ts";
import { readPage } from "../../platform/http/paging.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { requireUuid } from "../../platform/http/uuid.ts";
import { readBuildByNumber, readBuildsOf } from "../builds/read-service.ts";
import { readNewestTimings } from "../builds/timing-service.ts";
import { requireTemplate, requireUsableVersion } from "../templates/service.ts";
import { findUserId, findVisibleUser } from "../users/service.ts";
import { buildWorkspace, optionalUuid, readBuildRequest } from "./build-service.ts";
import { type CreateNeeds, createWorkspace } from "./create/create-service.ts";
import { CreationQueue } from "./create/creation-queue.ts";
import type { NewWorkspace } from "./create/new-workspace.ts";
import { listWorkspaces } from "./list-service.ts";
import { parseSearch } from "./search.ts";
import {
  describeWorkspace,
  requireChangeable,
  requireWorkspace,
  requireWorkspaceByName,
  type WorkspaceNeeds,
} from "./service.ts";
import { addWorkspaceSettingsRoutes } from "./settings-routes.ts";
import { readAutostart, readTtl } from "./settings-service.ts";
import { addWatchRoutes } from "./watch-routes.ts";

export function addWorkspaceRoutes(routes: Routes, needs: CreateNeeds): void {
  const { db, clock } = needs;
  const creations = new CreationQueue();

  routes.user(listWorkspacesRoute, ({ query }, user) =>
    listWorkspaces(needs, user, parseSearch(query.q ?? ""), readPage(query)),
  );
  routes.user(getWorkspace, async ({ params, query }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    if (row.deleted && query.include_deleted !== "true") throw notFound();
    return describeWorkspace(db, row, clock.now());
  });
  routes.user(getWorkspaceByName, async ({ params, query }, user) => {
    const owner = await findOwner(db, user, params.user);
    const includeDeleted = query.include_deleted === "true";
    const row = await requireWorkspaceByName(db, owner.id, params.name, includeDeleted);
    return describeWorkspace(db, row, clock.now());
  });
  routes.user(createWorkspaceRoute, async ({ params, body }, user) => {
    const input: NewWorkspace = {
      ownerId: await findUserId(db, user, params.user),
      name: body.name,
      templateId: optionalUuid(body.template_id),
      versionId: optionalUuid(body.template_version_id),
      presetId: optionalUuid(body.template_version_preset_id),
      parameters: body.rich_parameter_values ?? [],
      settings: {
        automaticUpdates: body.automatic_updates === "always" ? "always" : "never",
        autostart: readAutostart(body.autostart_schedule, clock.now()),
        ttlMs: readTtl(body.ttl_ms),
      },
    };
    return creations.run(() => createWorkspace(needs, user, input));
  });
  addBuildsOfWorkspace(routes, needs);
  addWorkspaceSettingsRoutes(routes, needs);
  addWatchRoutes(routes, needs);
}

/**
 * Finds the user whose workspaces a path means, if the caller may see them. The system user has some, although it is
 * not a visible user.
 */
async function findOwner(
  db: Database,
  caller: UserCaller,
  reference: string,
): Promise<{ readonly id: string }> {
  const isSystem = [prebuildsUsername, prebuildsUserId].includes(reference.toLowerCase());
  const owner = isSystem ? { id: prebuildsUserId } : await findVisibleUser(db, caller, reference);
  if (!maySeeWorkspacesOf(caller, owner.id)) throw notFound();
  return owner;
}

function addBuildsOfWorkspace(routes: Routes, needs: WorkspaceNeeds): void {
  const { db, clock } = needs;

  routes.user(createBuild, async ({ params, body }, user) => {
    const row = await requireChangeable(db, user, requireUuid(params.workspace));
    requireScope(user, `workspace:${body.transition}`);
    const request = readBuildRequest(body, user);
    if (request.transition === "start" && request.versionId !== undefined) {
      const template = await requireTemplate(db, row.template_id);
      requireUsableVersion(user, template, request.versionId);
    }
    return buildWorkspace(needs, row, request);
  });
  routes.user(listBuilds, async ({ params }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    return [...(await readBuildsOf(db, row.id, clock.now()))];
  });
  routes.user(getWorkspaceTimings, async ({ params }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    return readNewestTimings(db, row.id);
  });
  routes.user(getBuildByNumber, async ({ params }, user) => {
    const owner = await findOwner(db, user, params.user);
    const row = await requireWorkspaceByName(db, owner.id, params.name, true);
    const number = Number(params.number);
    if (!Number.isSafeInteger(number)) throw notFound();
    return readBuildByNumber(db, row.id, number, clock.now());
  });
}
