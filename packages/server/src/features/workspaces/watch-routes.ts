import {
  watchWorkspace as watchRoute,
  watchWorkspaceSocket,
  watchWorkspaces,
} from "@slipway/api/workspaces/watch-routes";

import { requireUuid } from "../../platform/fields/uuid.ts";
import { keepAlive, refuseMessages } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { topics } from "../../platform/pubsub/pubsub.ts";
import { SharedWatches } from "../../platform/pubsub/shared-watches.ts";
import { ListChanges } from "./list-changes.ts";
import {
  describeWorkspace,
  requireStillThere,
  requireWorkspace,
  type WorkspaceNeeds,
} from "./service.ts";

export function addWatchRoutes(routes: Routes, needs: WorkspaceNeeds): void {
  addWorkspaceStreams(routes, needs);
  const changes = new ListChanges(needs);

  routes.userSocket(watchWorkspaces, {
    prepare: async (_request, user) => user,
    serve: async (socket, user) => {
      keepAlive(socket);
      refuseMessages(socket, 1002, "Clients cannot send messages for one-way WebSockets");
      for await (const change of changes.watch(user, socket.signal)) {
        const isMany = change === "many";
        const message = { workspaces: isMany ? [] : [...change], many: isMany };
        await socket.sendText(JSON.stringify(message));
      }
    },
  });
}

/** Adds the routes that stream workspaces as events, in both framings of docs/protocol/clients.md §4.1. */
function addWorkspaceStreams(routes: Routes, needs: WorkspaceNeeds): void {
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

/** The interval of reads without a notification: an agent that falls silent sends none. */
const repeatMs = 10_000;
/** The changes of this period make one event. */
const gatherMs = 50;

/** A workspace as JSON, the same for every permitted reader. */
type WorkspaceText = string;

/** The watched workspaces of this replica, each read and encoded once a change for all watchers. */
class WorkspaceWatches {
  readonly #needs: WorkspaceNeeds;
  readonly #watches: SharedWatches<WorkspaceText>;

  constructor(needs: WorkspaceNeeds) {
    this.#needs = needs;
    this.#watches = new SharedWatches(needs);
  }

  /**
   * Yields a workspace at once, then after each change (docs/protocol/clients.md §4.1): of its builds, its agents, its
   * settings, and its template's active version. A deleted one still yields that change. The caller must have checked
   * that the watcher may see it.
   */
  async *watch(
    workspace: { readonly id: string; readonly template_id: string },
    signal: AbortSignal,
  ): AsyncGenerator<WorkspaceText, void, undefined> {
    const { db, clock } = this.#needs;
    const watched = {
      topics: [topics.workspace(workspace.id), topics.template(workspace.template_id)],
      maxWaitMs: repeatMs,
      gatherMs,
      read: async () => {
        const row = await requireStillThere(db, workspace.id);
        return JSON.stringify(await describeWorkspace(db, row, clock.now()));
      },
    };
    let last = "";
    for await (const text of this.#watches.watch(workspace.id, watched, signal)) {
      if (text !== last) yield text;
      last = text;
    }
  }
}
