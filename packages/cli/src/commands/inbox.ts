import type { InboxNotification } from "@slipway/api/notifications/notification";
import {
  listInboxNotifications,
  markAllInboxNotificationsRead,
} from "@slipway/api/notifications/routes";
import type { ApiClient } from "@slipway/sdk/http";

import { connect } from "../command/connect.ts";
import { defineCommand, type OptionsOf } from "../command/definition.ts";
import { columnFlag, outputFlag } from "../command/flags.ts";
import type { Needs } from "../command/needs.ts";
import { printList } from "../command/print-result.ts";
import { relativeTime } from "../terminal/relative-time.ts";
import type { Columns } from "../terminal/table.ts";

export const command = defineCommand({
  summary: "show your unread notifications, newest first",
  description:
    "Show your unread notifications, newest first. You are notified when somebody else, such as an administrator, " +
    "connects to one of your workspaces.",
  arguments: {},
  flags: {
    all: { kind: "switch", short: "a", summary: "include notifications that you have read" },
    markRead: { kind: "switch", summary: "then mark all of them as read" },
    column: columnFlag(["time", "title", "content", "read", "id"], ["time", "content"]),
    output: outputFlag,
  },
  examples: [
    { line: "slipway inbox", summary: "unread notifications" },
    { line: "slipway inbox --mark-read", summary: "show them once" },
    { line: "slipway inbox --all -o json", summary: "all of them as JSON" },
  ],
});

type Options = OptionsOf<typeof command>;

/** The maximum number of pages to read: a server keeps fewer notifications per user. */
const maxPages = 40;

export async function run(
  options: Options,
  { terminal, settings, clock, signal }: Pick<Needs, "terminal" | "settings" | "clock" | "signal">,
): Promise<number> {
  const client = connect(settings);
  const notifications = await readInbox(client, options.all ? "all" : "unread", signal);
  const none = options.all ? "no notifications" : "no unread notifications";
  const view = { columns: inboxColumns(clock.now()), none };
  const exitCode = printList(terminal, notifications, options, view);
  if (options.markRead) await client.call(markAllInboxNotificationsRead, { signal });
  return exitCode;
}

async function readInbox(
  client: ApiClient,
  status: "all" | "unread",
  signal: AbortSignal,
): Promise<readonly InboxNotification[]> {
  const found: InboxNotification[] = [];
  for (let page = 0; page < maxPages; page += 1) {
    const last = found.at(-1);
    const { notifications } = await client.call(listInboxNotifications, {
      query: { read_status: status, ...(last === undefined ? {} : { starting_before: last.id }) },
      signal,
    });
    if (notifications.length === 0) break;
    found.push(...notifications);
  }
  return found;
}

/** Columns of notifications. `now` is in milliseconds since the epoch. */
function inboxColumns(now: number): Columns<InboxNotification, Options["column"][number]> {
  return {
    time: ({ created_at }) => relativeTime(Date.parse(created_at), now),
    title: ({ title }) => title,
    content: ({ content }) => content,
    read: ({ read_at }) => (read_at === null ? "no" : "yes"),
    id: ({ id }) => id,
  };
}
