import { createWorkspace as createRoute } from "@slipway/api/workspaces/routes";
import type { Logger } from "@slipway/runtime";

import { optionalUuid } from "../../platform/fields/uuid.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { VersionLogInNeeds } from "../templates/external-auth-service.ts";
import { findUserId } from "../users/service.ts";
import { readAutostart, readTtl } from "../workspaces/schedule.ts";
import { type CreateNeeds, createWorkspace } from "./create.ts";
import { CreationQueue } from "./creation-queue.ts";
import { type NewWorkspace, requireLogIns } from "./new-workspace.ts";
import { addReinitRoute } from "./reinit/route.ts";

interface ClaimRouteNeeds extends CreateNeeds {
  readonly externalAuth: VersionLogInNeeds;
  readonly logger: Logger;
}

/** Adds the route that creates a user's workspace, by a claim if it can, and the one by which agents learn of a claim. */
export function addClaimRoutes(routes: Routes, needs: ClaimRouteNeeds): void {
  const { db, clock } = needs;
  const creations = new CreationQueue();

  routes.user(createRoute, async ({ params, body, raw }, user) => {
    const input: NewWorkspace = {
      ownerId: await findUserId(db, user, params.user),
      name: body.name,
      templateId: optionalUuid(body.template_id),
      versionId: optionalUuid(body.template_version_id),
      presetId: optionalUuid(body.template_version_preset_id),
      parameters: body.rich_parameter_values ?? [],
      requiresPrebuild: body.require_prebuild ?? false,
      settings: {
        automaticUpdates: body.automatic_updates === "always" ? "always" : "never",
        autostart: readAutostart(body.autostart_schedule, clock.now()),
        ttlMs: readTtl(body.ttl_ms),
        onDeadline: body.on_deadline ?? "stop",
      },
    };
    using client = watchClient(raw);
    await requireLogIns(needs.externalAuth, input, client.signal);
    return await creations.run(() => createWorkspace(needs, user, input));
  });
  addReinitRoute(routes, needs);
}
