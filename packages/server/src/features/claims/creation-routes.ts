import { getWorkspaceAllowances, listWaitingPrebuilds } from "@slipway/api/workspaces/routes";

import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { Platform } from "../../platform/platform.ts";
import { lockAndCountUse, type WorkspaceLimits } from "../builds/quota-service.ts";
import { presetsOf, requireImported } from "../templates/version-service.ts";
import { findOwner } from "../workspaces/service.ts";
import { countWaiting } from "./claim-queries.ts";

interface CreationRouteNeeds extends Pick<Platform, "db"> {
  readonly limits: WorkspaceLimits;
}

/** Adds the routes that tell what to expect of a new workspace before it is created. */
export function addCreationRoutes(routes: Routes, { db, limits }: CreationRouteNeeds): void {
  routes.user(getWorkspaceAllowances, async ({ params }, user) => {
    const { id } = await findOwner(db, user, params.user);
    const use = await lockAndCountUse(db, { ownerId: id, initiatorId: user.id }, null);
    return {
      workspaces: { used: use.workspaces, limit: limitJson(limits.maxWorkspacesPerUser) },
      running: { used: use.running, limit: limitJson(limits.maxRunningWorkspacesPerUser) },
    };
  });
  routes.user(listWaitingPrebuilds, async ({ params }) => {
    const version = await requireImported(db, requireUuid(params.version));
    const ids = presetsOf(version).flatMap(({ id, preset }) =>
      preset.prebuilds === undefined ? [] : [id],
    );
    return Promise.all(
      ids.map(async (id) => ({ preset_id: id, waiting: await countWaiting(db, id) })),
    );
  });
}

function limitJson(limit: number): number | null {
  return limit === Infinity ? null : limit;
}
