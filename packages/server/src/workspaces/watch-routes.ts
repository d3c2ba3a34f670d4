import { watchWorkspace as watchRoute, watchWorkspaceSocket } from "@slipway/api";
import { errorText, type Logger } from "@slipway/runtime";

import { openEventStream } from "../http/event-stream.ts";
import { keepAlive, pingIntervalMs, refuseMessages } from "../http/peer-socket.ts";
import type { Routes } from "../http/routes.ts";
import { requireUuid } from "../http/uuid.ts";
import { requireWorkspace, type WorkspaceNeeds } from "./service.ts";
import { watchWorkspace } from "./watch-stream.ts";

/** Workspaces as streams of events, in both framings of `clients.md` section 4.1. */
export function addWatchRoutes(
  routes: Routes,
  needs: WorkspaceNeeds & { readonly logger: Logger },
): void {
  const { db, logger } = needs;

  routes.user(watchRoute, async ({ params, raw, reply }, user) => {
    const row = await requireWorkspace(db, user, requireUuid(params.workspace));
    const stream = openEventStream(raw, reply);
    stream.ping();
    const pings = setInterval(() => stream.ping(), pingIntervalMs);
    try {
      for await (const workspace of watchWorkspace(needs, row, stream.signal))
        stream.data(workspace);
    } catch (error) {
      if (!stream.signal.aborted) {
        logger.warn({ error: errorText(error) }, "watching a workspace failed");
        stream.error("Failed to get the workspace.", "The server cannot read it now; try again.");
      }
    } finally {
      clearInterval(pings);
      stream.end();
    }
    return reply;
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
