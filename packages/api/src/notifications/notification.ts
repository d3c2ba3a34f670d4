import { Type } from "typebox";

import { type Infer, nullable, Timestamp, Uuid } from "../contract/scalars.ts";

/** A message to one user (docs/protocol/clients.md §4.5). */
export const InboxNotification = Type.Object({
  id: Uuid,
  user_id: Uuid,
  template_id: Uuid,
  targets: Type.Array(Uuid),
  title: Type.String(),
  content: Type.String(),
  icon: Type.String(),
  actions: Type.Array(Type.Object({ label: Type.String(), url: Type.String() })),
  read_at: nullable(Timestamp),
  created_at: Timestamp,
});
export type InboxNotification = Infer<typeof InboxNotification>;

/** The message sent to a watcher for each new notification. */
export const InboxMessage = Type.Object({
  notification: InboxNotification,
  unread_count: Type.Integer(),
});
export type InboxMessage = Infer<typeof InboxMessage>;

/** The pause of the delivery of notifications (docs/protocol/clients.md §1.9). */
export const NotificationsSettings = Type.Object({ notifier_paused: Type.Boolean() });
export type NotificationsSettings = Infer<typeof NotificationsSettings>;

/** The maximum length of the title and message that a user sends, in characters. */
const maxTitleLength = 120;
const maxMessageLength = 2_000;

/** A message that a user sends to themselves; neither text is blank. */
export const CustomNotification = Type.Object({
  content: Type.Object({
    title: Type.String({ maxLength: maxTitleLength, pattern: "\\S" }),
    message: Type.String({ maxLength: maxMessageLength, pattern: "\\S" }),
  }),
});
export type CustomNotification = Infer<typeof CustomNotification>;
