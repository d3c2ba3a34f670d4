import {
  getNotificationsSettings,
  listInboxNotifications,
  markAllInboxNotificationsRead,
  sendCustomNotification,
  sendTestNotification,
  updateInboxReadStatus,
  updateNotificationsSettings,
  watchInboxNotifications,
} from "@slipway/api/notifications/routes";

import { invalidField } from "../../platform/errors/errors.ts";
import { readUuid, requireUuid } from "../../platform/fields/uuid.ts";
import { keepAlive } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";
import type { Platform } from "../../platform/platform.ts";
import {
  type InboxNeeds,
  listInbox,
  markAllRead,
  sendCustomMessage,
  sendTestMessage,
  setReadStatus,
  watchInbox,
} from "./inbox-service.ts";
import type { InboxRow } from "./queries.ts";
import {
  changeNotificationsSettings,
  readNotificationsSettings,
  requireNotificationsOwner,
} from "./settings-service.ts";

const formats = ["", "markdown", "plaintext"];

/** Adds the routes of the inbox (docs/protocol/clients.md §4.5). Its texts have no markup, so they are the same in both formats. */
export function addNotificationRoutes(
  routes: Routes,
  needs: Pick<Platform, "db" | "pubsub" | "clock">,
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

/** The query of a list or watch. */
interface InboxQuery {
  readonly targets?: string | undefined;
  readonly templates?: string | undefined;
  readonly read_status?: string | undefined;
}

const readStatuses = ["", "all", "read", "unread"];

/** Returns a function that reports whether a message matches. Throws `Invalid` for an invalid filter. */
function readInboxFilter(query: InboxQuery): (row: InboxRow) => boolean {
  requireOneOf("read_status", query.read_status, readStatuses);
  const { read_status: status } = query;
  const targets = readIds("targets", query.targets);
  const templates = readIds("templates", query.templates);
  return (row) =>
    targets.every((id) => row.targets.includes(id)) &&
    (templates.length === 0 || templates.includes(row.template_id)) &&
    (status !== "read" || row.read_at !== null) &&
    (status !== "unread" || row.read_at === null);
}

/** Throws `Invalid` for a value that is not one of the choices. */
function requireOneOf(field: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  const wanted = choices.filter((choice) => choice !== "").join(", ");
  throw invalidField(field, `must be one of ${wanted}, found "${value}"`);
}

function readIds(field: string, text = ""): readonly string[] {
  const words = text.split(",").filter((word) => word !== "");
  return words.map((word) => {
    const id = readUuid(word);
    if (id === undefined) throw invalidField(field, `must be UUIDs, found "${word}"`);
    return id;
  });
}
