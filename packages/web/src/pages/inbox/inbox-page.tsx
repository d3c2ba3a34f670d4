import type { InboxNotification } from "@slipway/api/notifications/notification";
import {
  listInboxNotifications,
  markAllInboxNotificationsRead,
  updateInboxReadStatus,
} from "@slipway/api/notifications/routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CheckCheck, Inbox, Mail, MailOpen } from "lucide-react";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { webAddress } from "../../components/web-address.ts";
import { Button, buttonClasses, IconButton } from "../../ui/button.tsx";
import { EmptyState, PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Segments } from "../../ui/segments.tsx";
import { Time } from "../../ui/time.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrustedLines, UntrustedText } from "../../ui/untrusted-text.tsx";

const route = getRouteApi("/member/framed/inbox");

/** The number of notifications of a full page of the API. */
const pageSize = 25;

export function InboxPage(): ReactNode {
  const { show, before } = route.useSearch();
  const cache = useQueryClient();
  const toaster = useToaster();
  const query = {
    ...(show === undefined ? {} : { read_status: show }),
    ...(before === undefined ? {} : { starting_before: before }),
  };
  const inbox = useQuery(routeQuery(listInboxNotifications, { query }));
  const markAll = useMutation({
    mutationFn: () => client.call(markAllInboxNotificationsRead),
    onSuccess: () => refresh(cache, listInboxNotifications),
    onError: (error) => toaster.fail(`Could not mark all as read: ${error.message}`),
  });
  const list = inbox.data?.notifications ?? [];
  const last = list.length === pageSize ? list.at(-1) : undefined;
  return (
    <>
      <PageHeader
        title="Inbox"
        actions={
          <Button
            icon={<CheckCheck aria-hidden size={14} />}
            isBusy={markAll.isPending}
            disabledReason={inbox.data?.unread_count === 0 ? "Nothing is unread" : undefined}
            onClick={() => markAll.mutate()}
          >
            Mark all as read
          </Button>
        }
      >
        What happened to your workspaces while you were away.
      </PageHeader>
      <Segments
        label="Show"
        segments={[
          { label: "All", isCurrent: show === undefined, link: { to: "/inbox" } },
          {
            label: "Unread",
            isCurrent: show === "unread",
            link: { to: "/inbox", search: { show: "unread" } },
          },
        ]}
      />
      {inbox.isError && <FailureNotice error={inbox.error} onRetry={() => void inbox.refetch()} />}
      <Panel isFlush>
        {inbox.isPending && <LoadingRows />}
        {inbox.data !== undefined && list.length === 0 && <NoNotifications show={show} />}
        <ul>
          {list.map((notification) => (
            <NotificationRow key={notification.id} notification={notification} />
          ))}
        </ul>
      </Panel>
      {(last !== undefined || before !== undefined) && (
        <nav aria-label="Pages" className="flex gap-2">
          {before !== undefined && (
            <Link to="/inbox" search={{ ...(show && { show }) }} className={buttonClasses()}>
              Newest
            </Link>
          )}
          {last !== undefined && (
            <Link
              to="/inbox"
              search={{ ...(show && { show }), before: last.id }}
              className={buttonClasses()}
            >
              Older
            </Link>
          )}
        </nav>
      )}
    </>
  );
}

function NoNotifications({ show }: { readonly show: "unread" | undefined }): ReactNode {
  return (
    <EmptyState
      icon={<Inbox size={28} />}
      title={show === "unread" ? "Nothing is unread" : "No notifications yet"}
    >
      Notifications arrive when someone else connects to one of your workspaces, and before an
      unused one is deleted.
    </EmptyState>
  );
}

function LoadingRows(): ReactNode {
  return Array.from({ length: 3 }, (_row, index) => (
    <div key={index} className="flex flex-col gap-2 border-b border-line px-4 py-3">
      <Skeleton className="h-4 w-56" />
      <Skeleton className="h-4 w-80 max-w-full" />
    </div>
  ));
}

function NotificationRow({
  notification: { id, title, content, actions, read_at, created_at },
}: {
  readonly notification: InboxNotification;
}): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const isRead = read_at !== null;
  const mark = useMutation({
    mutationFn: () =>
      client.call(updateInboxReadStatus, {
        params: { notification: id },
        body: { is_read: !isRead },
      }),
    onSuccess: () => refresh(cache, listInboxNotifications),
    onError: (error) => toaster.fail(`Could not mark it: ${error.message}`),
  });
  return (
    <li className="flex items-start gap-3 border-b border-line px-4 py-3 last:border-b-0">
      <span
        aria-hidden
        className={`mt-2 size-2 shrink-0 rounded-full ${isRead ? "bg-transparent" : "bg-accent"}`}
      />
      <div className="min-w-0 flex-1">
        <p className={`wrap-anywhere ${isRead ? "" : "font-semibold"}`}>
          <UntrustedText>{title}</UntrustedText>
          {!isRead && <span className="sr-only"> (unread)</span>}
        </p>
        <p className="whitespace-pre-wrap wrap-anywhere text-ink-soft">
          <bdi>{untrustedLines(content)}</bdi>
        </p>
        <div className="mt-1 flex flex-wrap gap-x-4 text-sm text-ink-soft">
          <Time time={created_at} />
          {actions.map(({ label, url }) => {
            const address = webAddress(url, location.origin);
            return address === undefined ? null : (
              <a key={url} href={address} rel="noreferrer" className="text-accent hover:underline">
                <UntrustedText>{label}</UntrustedText>
              </a>
            );
          })}
        </div>
      </div>
      <IconButton
        size="small"
        label={isRead ? "Mark as unread" : "Mark as read"}
        icon={isRead ? <Mail aria-hidden size={14} /> : <MailOpen aria-hidden size={14} />}
        isBusy={mark.isPending}
        onClick={() => mark.mutate()}
      />
    </li>
  );
}
