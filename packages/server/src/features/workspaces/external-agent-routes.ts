import {
  getExternalAgentCredentials,
  revokeExternalAgentTokens,
} from "@slipway/api/workspaces/external-agent-routes";

import { requireUuid } from "../../platform/fields/uuid.ts";
import type { Routes } from "../../platform/http/routes.ts";
import {
  type ExternalAgentNeeds,
  readExternalAgentCredentials,
  revokeTokens,
} from "./external-agent-service.ts";
import { requireChangeable } from "./service.ts";

export function addExternalAgentRoutes(routes: Routes, needs: ExternalAgentNeeds): void {
  routes.user(getExternalAgentCredentials, async ({ params, raw }, user) => {
    const workspace = await requireChangeable(needs.db, user, requireUuid(params.workspace));
    return readExternalAgentCredentials(needs, user, workspace, {
      agentName: params.agent,
      serverUrl: needs.urlFor(raw),
    });
  });
  routes.user(revokeExternalAgentTokens, async ({ params }, user) => {
    const workspace = await requireChangeable(needs.db, user, requireUuid(params.workspace));
    await revokeTokens(needs.db, user, workspace);
    return null;
  });
}
