import {
  listInboxNotifications,
  markAllInboxNotificationsRead,
  updateInboxReadStatus,
  watchInboxNotifications,
} from "@slipway/api";
import type { Clock } from "@slipway/runtime";

import { keepAlive } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import { requireUuid } from "../../platform/http/uuid.ts";
import { readInboxFilter, requireOneOf } from "./inbox-filter.ts";
import {
  type InboxNeeds,
  listInbox,
  markAllRead,
  setReadStatus,
  watchInbox,
} from "./inbox-service.ts";

const formats = ["", "markdown", "plaintext"];

/** Adds the routes of the inbox (docs/protocol/clients.md §4.5). Its texts have no markup, so they are the same in both formats. */
export function addNotificationRoutes(
  routes: Routes,
  needs: InboxNeeds & { readonly clock: Clock },
): void {
  routes.user(listInboxNotifications, ({ query }, user) =>
    listInbox(needs, user.id, readInboxFilter(query), query.starting_before || undefined),
  );
  routes.userSocket(watchInboxNotifications, {
    prepare: async ({ query }, user) => {
      requireOneOf("format", query.format, formats);
      return { userId: user.id, filter: readInboxFilter(query) };
    },
    serve: async (socket, { userId, filter }) => {
      keepAlive(socket);
      for await (const message of watchInbox(needs, userId, filter, socket.signal)) {
        await socket.sendText(JSON.stringify(message));
      }
    },
  });
  routes.user(updateInboxReadStatus, ({ params, body }, user) =>
    setReadStatus(needs, user.id, requireUuid(params.notification), body.is_read),
  );
  routes.user(markAllInboxNotificationsRead, async (_, user) => {
    await markAllRead(needs, user.id);
    return null;
  });
}
