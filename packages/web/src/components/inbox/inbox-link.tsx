import { listInboxNotifications, watchInboxNotifications } from "@slipway/api/notifications/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bell } from "lucide-react";
import type { ReactNode } from "react";

import { refresh, routeQuery } from "../../api/queries.ts";
import { useStream } from "../../api/use-stream.ts";

/** Leads to the inbox, and shows how many of its notifications are unread, live. */
export function InboxLink(): ReactNode {
  const cache = useQueryClient();
  const inbox = useQuery(routeQuery(listInboxNotifications, { query: { read_status: "unread" } }));
  useStream(watchInboxNotifications, {}, () => void refresh(cache, listInboxNotifications));
  const unread = inbox.data?.unread_count ?? 0;
  return (
    <Link
      to="/inbox"
      className="flex h-8 items-center gap-2.5 rounded-md px-3 text-sm font-medium text-ink-soft hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent pointer-coarse:h-11"
    >
      <Bell aria-hidden size={16} />
      Inbox
      {unread > 0 && (
        <span className="ml-auto rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent tabular-nums">
          {unread}
          <span className="sr-only"> unread</span>
        </span>
      )}
    </Link>
  );
}
