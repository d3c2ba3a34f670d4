import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import {
  CustomNotification,
  InboxMessage,
  InboxNotification,
  NotificationsSettings,
} from "./notification.ts";

/** The number of notifications of each kind that a user may send per minute. */
const requestsPerMinute = 60;

const filter = {
  targets: Type.Optional(Type.String({ maxLength: 4096 })),
  templates: Type.Optional(Type.String({ maxLength: 4096 })),
  read_status: Type.Optional(Type.String({ maxLength: 16 })),
};

export const listInboxNotifications = defineRoute({
  method: "GET",
  path: "/notifications/inbox",
  summary: "List the caller's inbox notifications, newest first",
  query: Type.Object({ ...filter, starting_before: Type.Optional(Type.String({ maxLength: 64 })) }),
  response: Type.Object({
    notifications: Type.Array(InboxNotification),
    unread_count: Type.Integer(),
  }),
});

export const watchInboxNotifications = defineRoute({
  method: "GET",
  path: "/notifications/inbox/watch",
  summary: "Watch the caller's inbox notifications",
  kind: "socket",
  query: Type.Object({ ...filter, format: Type.Optional(Type.String({ maxLength: 16 })) }),
  response: InboxMessage,
});

export const updateInboxReadStatus = defineRoute({
  method: "PUT",
  path: "/notifications/inbox/:notification/read-status",
  summary: "Mark an inbox notification as read or unread",
  params: Type.Object({ notification: Type.String() }),
  body: Type.Object({ is_read: Type.Boolean() }),
  response: InboxMessage,
});

export const markAllInboxNotificationsRead = defineRoute({
  method: "PUT",
  path: "/notifications/inbox/mark-all-as-read",
  summary: "Mark all of the caller's inbox notifications as read",
  status: 204,
  response: Type.Null(),
});

export const getNotificationsSettings = defineRoute({
  method: "GET",
  path: "/notifications/settings",
  summary: "Get whether notifications are paused",
  response: NotificationsSettings,
});

export const updateNotificationsSettings = defineRoute({
  method: "PUT",
  path: "/notifications/settings",
  summary: "Pause or resume the delivery of notifications",
  body: NotificationsSettings,
  mayBeUnchanged: true,
  response: NotificationsSettings,
});

export const sendTestNotification = defineRoute({
  method: "POST",
  path: "/notifications/test",
  summary: "Send the caller a test notification",
  requestsPerMinute,
  status: 204,
  response: Type.Null(),
});

export const sendCustomNotification = defineRoute({
  method: "POST",
  path: "/notifications/custom",
  summary: "Send the caller a notification with a title and a message",
  body: CustomNotification,
  requestsPerMinute,
  status: 204,
  response: Type.Null(),
});
