import {
  type ConnectionInfo,
  getAgentConnection,
  getConnection,
  getOwnConnection,
  watchDerpMap,
} from "@slipway/api/agents/connection-routes";
import { whenAborted } from "@slipway/runtime";

import type { Database } from "../../../platform/db/database.ts";
import { requireUuid } from "../../../platform/fields/uuid.ts";
import { encodeJson } from "../../../platform/http/json.ts";
import { keepAlive, refuseMessages } from "../../../platform/http/peer-socket.ts";
import type { Routes } from "../../../platform/http/routes.ts";
import { requireAgentPlace } from "../service.ts";
import type { ReadDerpMap } from "./derp-map.ts";

/** Settings of clients' connections, besides their relays. */
export const connectionSettings: Omit<ConnectionInfo, "derp_map"> = {
  derp_force_websockets: false,
  disable_direct_connections: false,
  hostname_suffix: "coder",
};

interface ConnectionNeeds {
  readonly db: Database;
  readonly readDerpMap: ReadDerpMap;
}

/** Adds the routes that tell clients how to connect to agents. */
export function addConnectionRoutes(routes: Routes, { db, readDerpMap }: ConnectionNeeds): void {
  const readConnection = (): ConnectionInfo => ({ derp_map: readDerpMap(), ...connectionSettings });
  routes.user(getConnection, async () => readConnection());
  routes.agent(getOwnConnection, async () => readConnection());
  routes.user(getAgentConnection, async ({ params }, user) => {
    await requireAgentPlace(db, user, requireUuid(params.agent));
    return readConnection();
  });
  routes.anyoneSocket(watchDerpMap, {
    prepare: async () => undefined,
    serve: async (socket) => {
      keepAlive(socket);
      refuseMessages(socket, 1008, "unexpected data message");
      // Binary, although it is text (docs/protocol/rest.md §6.7).
      socket.raw.send(Buffer.from(encodeJson(readDerpMap())));
      await whenAborted(socket.signal);
    },
  });
}
