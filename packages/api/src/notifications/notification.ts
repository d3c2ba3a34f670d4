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

/** The message that a watcher gets for each new notification. */
export const InboxMessage = Type.Object({
  notification: InboxNotification,
  unread_count: Type.Integer(),
});
export type InboxMessage = Infer<typeof InboxMessage>;
