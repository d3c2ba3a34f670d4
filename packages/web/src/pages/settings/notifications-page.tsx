import {
  getNotificationsSettings,
  sendTestNotification,
  updateNotificationsSettings,
} from "@slipway/api/notifications/routes";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { client } from "../../api/client.ts";
import { ensureSet } from "../../api/ensure.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Panel, Skeleton } from "../../ui/layout.tsx";
import { Status } from "../../ui/status.tsx";
import { useToaster } from "../../ui/toasts.tsx";

/** The occasions on which the server writes to somebody's inbox. */
const occasions = [
  ["Someone else connects to your workspace", "At most once an hour for each person."],
  ["A workspace becomes dormant", "It was unused for as long as its template allows."],
  ["A dormant workspace will be deleted", "At least a day before, and again when it is deleted."],
  [
    "A program sends you a notification",
    "With “slipway notifications custom”, for example after a build.",
  ],
] as const;

export function NotificationsPage(): ReactNode {
  const { updateDeployment } = useRights();
  return (
    <>
      <Panel
        title="What you are notified about"
        actions={
          <Link to="/inbox" className={buttonClasses("secondary", "small")}>
            Open inbox
          </Link>
        }
        isFlush
      >
        <ul>
          {occasions.map(([title, detail]) => (
            <li key={title} className="border-b border-line px-4 py-2.5 last:border-b-0">
              <p>{title}</p>
              <p className="text-sm text-ink-soft">{detail}</p>
            </li>
          ))}
        </ul>
      </Panel>
      {updateDeployment && <Delivery />}
    </>
  );
}

/** The delivery of notifications in the whole deployment, which owners may pause. */
function Delivery(): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const settings = useQuery(routeQuery(getNotificationsSettings));
  const [isAsking, setAsking] = useState(false);
  const setPaused = async (isPaused: boolean): Promise<void> => {
    const body = { notifier_paused: isPaused };
    await ensureSet(client.call(updateNotificationsSettings, { body }));
    await refresh(cache, getNotificationsSettings);
  };
  const resume = useMutation({
    mutationFn: () => setPaused(false),
    onError: (error) => toaster.fail(`Could not resume: ${error.message}`),
  });
  const test = useMutation({
    mutationFn: () => client.call(sendTestNotification),
    onSuccess: () => toaster.show("Test notification sent to your inbox."),
    onError: (error) => toaster.fail(`Could not send: ${error.message}`),
  });
  const isPaused = settings.data?.notifier_paused;
  return (
    <Panel
      title="Delivery for everyone"
      actions={
        <div className="flex gap-2">
          <Button size="small" isBusy={test.isPending} onClick={() => test.mutate()}>
            Send me a test
          </Button>
          {isPaused === false && (
            <Button size="small" onClick={() => setAsking(true)}>
              Pause…
            </Button>
          )}
          {isPaused === true && (
            <Button
              size="small"
              look="primary"
              isBusy={resume.isPending}
              onClick={() => resume.mutate()}
            >
              Resume
            </Button>
          )}
        </div>
      }
    >
      {settings.isError && (
        <FailureNotice error={settings.error} onRetry={() => void settings.refetch()} />
      )}
      {settings.isPending && <Skeleton className="h-5 w-40" />}
      {isPaused !== undefined && (
        <Status tone={isPaused ? "warn" : "good"}>
          {isPaused
            ? "Paused: notifications are held until you resume"
            : "Notifications are delivered"}
        </Status>
      )}
      {isAsking && (
        <ConfirmDialog
          title="Pause all notifications?"
          action="Pause"
          onConfirm={() => setPaused(true)}
          onClose={() => setAsking(false)}
        >
          <p>
            Nobody in this deployment receives notifications until you resume them. None are lost:
            they are delivered afterward.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
