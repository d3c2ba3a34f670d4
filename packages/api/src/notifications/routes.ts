import { Type } from "typebox";

import { defineRoute } from "../contract/route.ts";
import { InboxMessage, InboxNotification } from "./notification.ts";

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
