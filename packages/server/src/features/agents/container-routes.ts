import {
  deleteDevcontainer,
  getContainers,
  recreateDevcontainer,
  watchContainers,
} from "@slipway/api/agents/container-routes";

import { mayActFor } from "../../platform/auth/rights.ts";
import { forbidden, invalidField, Unreachable } from "../../platform/errors/errors.ts";
import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { type ReachNeeds, requireAgentPlace, requireConnected } from "./service.ts";

/** Adds the routes of containers. The list is empty, so that a stock `coder show` does not warn of failures. */
export function addContainerRoutes(routes: Routes, needs: ReachNeeds): void {
  routes.user(getContainers, async ({ params, query }, user) => {
    const agentId = requireUuid(params.agent);
    await requireAgentPlace(needs.db, user, agentId);
    const labels = [query.label ?? []].flat();
    if (labels.some((label) => label.split("=").length !== 2)) {
      const detail = 'must have the form key=value, with one "="';
      throw invalidField("label", detail, "Invalid label format");
    }
    await requireConnected(needs, user, agentId);
    return { devcontainers: [], containers: [] };
  });
  routes.userSocket(watchContainers, {
    prepare: async ({ params }, user) => {
      await requireConnected(needs, user, params.agent);
      throw noContainers();
    },
    serve: async () => undefined,
  });
  for (const route of [deleteDevcontainer, recreateDevcontainer]) {
    routes.user(route, async ({ params }, user) => {
      const place = await requireAgentPlace(needs.db, user, requireUuid(params.agent));
      if (!mayActFor(user, place.owner_id)) {
        throw forbidden(
          "Only the owner of a workspace, or a user with the owner role, can change what runs in it.",
        );
      }
      await requireConnected(needs, user, params.agent);
      throw noContainers();
    });
  }
}

/**
 * Creates the error of docs/protocol/rest.md §6.5 for requests that change or follow containers, which do not exist
 * yet.
 */
function noContainers(): Unreachable {
  return new Unreachable("Internal error dialing workspace agent.", {
    detail: "this server does not reach containers of workspaces yet",
  });
}
