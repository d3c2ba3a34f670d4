import { listInboxNotifications, watchInboxNotifications } from "@slipway/api";

import { invalidField } from "../../platform/errors/errors.ts";
import { keepAlive } from "../../platform/http/peer-socket.ts";
import type { Routes } from "../../platform/http/routes.ts";

const readStatuses = ["", "all", "read", "unread"];
const formats = ["", "markdown", "plaintext"];

/** Adds the routes of the inbox. Nothing here sends messages, so it is empty, and its watchers receive nothing. */
export function addNotificationRoutes(routes: Routes): void {
  routes.user(listInboxNotifications, async ({ query }) => {
    requireOneOf("read_status", query.read_status, readStatuses);
    return { notifications: [], unread_count: 0 };
  });
  routes.userSocket(watchInboxNotifications, {
    prepare: async ({ query }) => {
      requireOneOf("read_status", query.read_status, readStatuses);
      requireOneOf("format", query.format, formats);
    },
    serve: async (socket) => {
      keepAlive(socket);
      await new Promise((resolve) => {
        socket.signal.addEventListener("abort", resolve, { once: true });
      });
    },
  });
}

function requireOneOf(field: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  const wanted = choices.filter((choice) => choice !== "").join(", ");
  throw invalidField(field, `must be one of ${wanted}, found "${value}"`);
}
