import {
  getPrebuildsSettings,
  invalidatePrebuilds as invalidateRoute,
  listPrebuildClaims,
  listPrebuildPools,
  updatePrebuildsSettings,
} from "@slipway/api/prebuilds/routes";

import type { Database } from "../../platform/db/database.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { invalidatePrebuilds } from "./invalidate-service.ts";
import { listClaims } from "./pools/claims.ts";
import { listPools } from "./pools/service.ts";
import type { ReconcileLimits } from "./reconcile/reconcile.ts";
import {
  changePrebuildsSettings,
  readPrebuildsSettings,
  requirePoolReader,
} from "./settings-service.ts";

interface PrebuildNeeds {
  readonly db: Database;
  /** The limits used to fill pools. */
  readonly limits: ReconcileLimits;
}

export function addPrebuildRoutes(routes: Routes, needs: PrebuildNeeds): void {
  const { db } = needs;

  routes.user(getPrebuildsSettings, async (_request, user) => {
    requirePoolReader(user);
    return readPrebuildsSettings(db);
  });
  routes.user(updatePrebuildsSettings, async ({ body, reply }, user) => {
    const isNew = await changePrebuildsSettings(db, user, body);
    if (!isNew) reply.code(304);
    return { reconciliation_paused: body.reconciliation_paused };
  });
  routes.user(listPrebuildPools, (_request, user) => listPools(needs, user));
  routes.user(listPrebuildClaims, (_request, user) => listClaims(db, user));
  routes.user(invalidateRoute, ({ params }, user) =>
    invalidatePrebuilds(db, user, requireUuid(params.template)),
  );
}
