import { coordinateAgent, joinTailnet } from "@slipway/api";

import type { Database } from "../../../platform/db/database.ts";
import { Conflict } from "../../../platform/errors/errors.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { negotiateVersion } from "../connection/api-version.ts";
import { requireReachable } from "./reach.ts";

export function addTailnetRoutes(routes: Routes, db: Database): void {
  routes.userSocket(coordinateAgent, {
    prepare: async ({ params, query, raw }, user) => {
      await requireReachable(db, user, params.agent);
      // Absent means a version that no server supports any more (docs/protocol/rest.md §6.8).
      negotiateVersion(query.version ?? "1.0");
      if (raw.headers.upgrade !== undefined) throw noNetwork();
    },
    serve: async () => undefined,
  });
  routes.userSocket(joinTailnet, {
    prepare: async ({ query, raw }) => {
      negotiateVersion(query.version);
      if (raw.headers.upgrade !== undefined) throw noNetwork();
    },
    serve: async () => undefined,
  });
}

/** Returns the refusal at which stock clients give up and show the text; after others they retry forever. */
function noNetwork(): Conflict {
  return new Conflict("Connections to workspaces are not available on this server.", {
    detail: "This server has no network to its agents yet.",
  });
}
