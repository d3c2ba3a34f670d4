import {
  getNotificationsSettings,
  listInboxNotifications,
  markAllInboxNotificationsRead,
  sendCustomNotification,
  sendTestNotification,
  updateInboxReadStatus,
  updateNotificationsSettings,
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
  sendCustomMessage,
  sendTestMessage,
  setReadStatus,
  watchInbox,
} from "./inbox-service.ts";
import {
  changeNotificationsSettings,
  readNotificationsSettings,
  requireNotificationsOwner,
} from "./settings-service.ts";

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
  addSendingRoutes(routes, needs);
}

/** Adds the routes of `notifications` (docs/protocol/clients.md §1.9). */
function addSendingRoutes(routes: Routes, needs: InboxNeeds): void {
  routes.user(getNotificationsSettings, () => readNotificationsSettings(needs.db));
  routes.user(updateNotificationsSettings, async ({ body, reply }, user) => {
    const isNew = await changeNotificationsSettings(needs, user, body);
    if (!isNew) reply.code(304);
    return { notifier_paused: body.notifier_paused };
  });
  routes.user(sendTestNotification, async (_, user) => {
    requireNotificationsOwner(user);
    await sendTestMessage(needs, user.id);
    return null;
  });
  routes.user(sendCustomNotification, async ({ body }, user) => {
    await sendCustomMessage(needs, user.id, body.content);
    return null;
  });
}
