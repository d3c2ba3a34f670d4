import { createWorkspace as createRoute } from "@slipway/api/workspaces/routes";
import type { Logger } from "@slipway/runtime";

import { optionalUuid } from "../../platform/fields/uuid.ts";
import { watchClient } from "../../platform/http/client-disconnect.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { VersionLogInNeeds } from "../templates/external-auth-service.ts";
import type { ParameterReader } from "../templates/parameter-service.ts";
import { findUserId } from "../users/service.ts";
import { readAutostart, readTtl } from "../workspaces/schedule.ts";
import { claimTogether } from "./claim-together.ts";
import { type CreateNeeds, createWorkspace, type Creation } from "./create.ts";
import { CreationQueue } from "./creation-queue.ts";
import { addCreationRoutes } from "./creation-routes.ts";
import { GatheredClaims } from "./gathered-claims.ts";
import { evaluateCreation, type NewWorkspace, requireLogIns } from "./new-workspace.ts";
import { addReinitRoute } from "./reinit/route.ts";

interface ClaimRouteNeeds extends CreateNeeds {
  readonly externalAuth: VersionLogInNeeds;
  readonly parameters: ParameterReader;
  readonly logger: Logger;
}

/**
 * Adds the route that creates a user's workspace, by a claim if it can, those that say what to expect of it, and the one by
 * which agents learn of a claim.
 */
export function addClaimRoutes(routes: Routes, needs: ClaimRouteNeeds): void {
  const { db, clock } = needs;
  const claims = new GatheredClaims((requests: readonly Creation[]) =>
    claimTogether(needs, requests),
  );
  const creations = new CreationQueue();

  routes.user(createRoute, async ({ params, body, raw, reply }, user) => {
    const input: NewWorkspace = {
      ownerId: await findUserId(db, user, params.user),
      name: body.name,
      templateId: optionalUuid(body.template_id),
      versionId: optionalUuid(body.template_version_id),
      presetId: optionalUuid(body.template_version_preset_id),
      parameters: body.rich_parameter_values ?? [],
      transition: body.transition ?? "start",
      requiresPrebuild: body.require_prebuild ?? false,
      settings: {
        automaticUpdates: body.automatic_updates === "always" ? "always" : "never",
        autostart: readAutostart(body.autostart_schedule, clock.now()),
        ttlMs: readTtl(body.ttl_ms),
        onDeadline: body.on_deadline ?? "stop",
      },
    };
    using client = watchClient(raw);
    const isStarted = input.transition === "start";
    if (isStarted) await requireLogIns(needs.externalAuth, input, client.signal);
    const claim = async (signal: AbortSignal) => {
      const workspace = await claims.claim(user.id, { caller: user, input }, signal);
      // The client need not wait until it is the user's turn again.
      if (workspace !== undefined) void reply.send(workspace);
      return workspace;
    };
    // A claim that waits holds nothing: the user's other requests proceed meanwhile.
    const claimed = isStarted ? await routes.waitFor(raw, claim) : undefined;
    if (claimed !== undefined) return claimed;
    const evaluation = await routes.waitFor(raw, (signal) =>
      evaluateCreation(needs, user.id, input, signal),
    );
    return await creations.run(() => createWorkspace(needs, user, { ...input, evaluation }));
  });
  addCreationRoutes(routes, needs);
  addReinitRoute(routes, needs);
}
