import {
  watchWorkspace as watchRoute,
  watchWorkspaceSocket,
} from "@slipway/api/workspaces/watch-routes";

import { keepAlive, refuseMessages } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { requireUuid } from "../../platform/http/uuid.ts";
import { requireWorkspace, type WorkspaceNeeds } from "./service.ts";
import { WorkspaceWatches } from "./watch-stream.ts";

/** Adds the routes that stream workspaces as events, in both framings of docs/protocol/clients.md §4.1. */
export function addWatchRoutes(routes: Routes, needs: WorkspaceNeeds): void {
  const { db } = needs;
  const watches = new WorkspaceWatches(needs);

  routes.userEvents(watchRoute, {
    prepare: ({ params }, user) => requireWorkspace(db, user, requireUuid(params.workspace)),
    serve: async (stream, row) => {
      stream.ping();
      for await (const text of watches.watch(row, stream.signal)) await stream.dataText(text);
    },
    problem: "Failed to get the workspace.",
  });

  routes.userSocket(watchWorkspaceSocket, {
    prepare: ({ params }, user) => requireWorkspace(db, user, requireUuid(params.workspace)),
    serve: async (socket, row) => {
      keepAlive(socket);
      refuseMessages(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      await socket.sendText(`${JSON.stringify({ type: "ping", data: null })}\n`);
      for await (const text of watches.watch(row, socket.signal)) {
        await socket.sendText(`{"type":"data","data":${text}}\n`);
      }
    },
  });
}
