import { watchWorkspace as watchRoute, watchWorkspaceSocket } from "@slipway/api";

import { keepAlive, refuseMessages } from "../http/peer-socket.ts";
import type { Routes } from "../http/routes.ts";
import { requireUuid } from "../http/uuid.ts";
import { requireWorkspace, type WorkspaceNeeds } from "./service.ts";
import { watchWorkspace } from "./watch-stream.ts";

/** Workspaces as streams of events, in both framings of `clients.md` section 4.1. */
export function addWatchRoutes(routes: Routes, needs: WorkspaceNeeds): void {
  const { db } = needs;

  routes.userEvents(watchRoute, {
    prepare: ({ params }, user) => requireWorkspace(db, user, requireUuid(params.workspace)),
    serve: async (stream, row) => {
      stream.ping();
      for await (const workspace of watchWorkspace(needs, row, stream.signal))
        stream.data(workspace);
    },
    problem: "Failed to get the workspace.",
  });

  routes.userSocket(watchWorkspaceSocket, {
    prepare: ({ params }, user) => requireWorkspace(db, user, requireUuid(params.workspace)),
    serve: async (socket, row) => {
      keepAlive(socket);
      refuseMessages(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      await socket.sendText(`${JSON.stringify({ type: "ping", data: null })}\n`);
      for await (const data of watchWorkspace(needs, row, socket.signal)) {
        await socket.sendText(`${JSON.stringify({ type: "data", data })}\n`);
      }
    },
  });
}
