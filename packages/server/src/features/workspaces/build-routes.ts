import {
  createBuild,
  getBuildByNumber,
  getWorkspaceTimings,
  listBuilds,
} from "@slipway/api/workspaces/build-routes";

import { requireScope } from "../../platform/auth/key-limits.ts";
import { notFound } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { readBuildByNumber, readBuildsOf, readNewestTimings } from "../builds/read-service.ts";
import type { StateNeeds } from "../builds/state-service.ts";
import type { ParameterReader } from "../templates/parameter-service.ts";
import { requireTemplate, requireUsableVersion } from "../templates/service.ts";
import { acceptedState, buildWorkspace, evaluateBuild, readBuildRequest } from "./build-service.ts";
import {
  findOwner,
  requireChangeable,
  requireWorkspace,
  requireWorkspaceByName,
  type WorkspaceNeeds,
} from "./service.ts";

export interface WorkspaceRouteNeeds extends WorkspaceNeeds, StateNeeds {
  readonly parameters: ParameterReader;
}

export function addWorkspaceBuildRoutes(routes: Routes, needs: WorkspaceRouteNeeds): void {
  const { db, clock } = needs;

  routes.user(createBuild, async ({ params, body, raw }, user) => {
    const row = await requireChangeable(db, user, requireUuid(params.workspace));
    requireScope(user, `workspace:${body.transition}`);
    const request = readBuildRequest(body, user);
    if (request.transition === "start" && request.versionId !== undefined) {
      const template = await requireTemplate(db, row.template_id);
      requireUsableVersion(user, template, request.versionId);
    }
    const state = acceptedState(needs, row, body, user);
    const evaluation = await routes.waitFor(raw, (signal) =>
      evaluateBuild(needs, user.id, { workspace: row, input: request }, signal),
    );
    return buildWorkspace(needs, row, { ...request, ...state, evaluation });
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
