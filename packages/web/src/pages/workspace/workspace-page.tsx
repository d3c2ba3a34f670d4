import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { FailureNotice } from "../../components/page-failure.tsx";
import { MissingWorkspace } from "../../components/workspaces/missing-workspace.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Tabs } from "../../ui/tabs.tsx";
import { Time } from "../../ui/time.tsx";
import {
  useLiveWorkspace,
  useWorkspaceAddress,
  useWorkspaceQuery,
  WorkspaceContext,
} from "./use-workspace.tsx";
import { WorkspaceHeader } from "./workspace-header.tsx";

/** The frame of the pages of one workspace: its state, its actions and the tabs. */
export function WorkspacePage(): ReactNode {
  const { owner, name } = useWorkspaceAddress();
  const { data, error, isError, refetch } = useQuery(useWorkspaceQuery());
  if (data === undefined) {
    if (!isError) return <PageSkeleton />;
    const missing = <MissingWorkspace owner={owner} name={name} />;
    return <FailureNotice error={error} onRetry={() => void refetch()} missing={missing} />;
  }
  return (
    <WorkspaceContext value={data}>
      <WorkspaceHeader workspace={data} />
      {data.latest_build.status === "deleted" ? (
        <DeletedNotice workspace={data} />
      ) : (
        <LiveNotice id={data.id} />
      )}
      <WorkspaceTabs workspace={data} />
      <Outlet />
    </WorkspaceContext>
  );
}

function LiveNotice({ id }: { readonly id: string }): ReactNode {
  const stream = useLiveWorkspace(id);
  if (stream === "live") return null;
  if (stream === "refused") {
    return (
      <Notice tone="warn" title="WebSockets are blocked.">
        The server responds, but something between it and this browser, such as a proxy, refuses
        WebSockets. This page is refreshed every 10 seconds instead. Terminals, live values and the
        output of runs are not available.
      </Notice>
    );
  }
  return (
    <Notice tone="warn" title="The connection to the server is lost.">
      This page shows the last known state, and updates again once the server responds.
    </Notice>
  );
}

function DeletedNotice({ workspace }: { readonly workspace: Workspace }): ReactNode {
  return (
    <Notice tone="info" title="This workspace is deleted.">
      <Time time={workspace.latest_build.updated_at} />; its builds and connections can still be
      read.
    </Notice>
  );
}

function WorkspaceTabs({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const params = { owner: workspace.owner_name, workspace: workspace.name };
  const isDeleted = workspace.latest_build.status === "deleted";
  const tabs = [
    {
      label: "Overview",
      link: {
        to: "/@{$owner}/$workspace",
        params,
        activeOptions: { exact: true, includeSearch: false },
      },
    },
    { label: "Builds", link: { to: "/@{$owner}/$workspace/builds", params } },
    { label: "Runs", link: { to: "/@{$owner}/$workspace/runs", params } },
    { label: "Files", link: { to: "/@{$owner}/$workspace/files", params } },
    { label: "Connections", link: { to: "/@{$owner}/$workspace/connections", params } },
    ...(isDeleted
      ? []
      : [{ label: "Settings", link: { to: "/@{$owner}/$workspace/settings", params } } as const]),
  ] as const;
  return <Tabs label="Workspace" tabs={tabs} />;
}

function PageSkeleton(): ReactNode {
  return (
    <div aria-busy className="flex flex-col gap-5">
      <Skeleton className="h-7 w-52" />
      <Skeleton className="h-5 w-80 max-w-full" />
      <Skeleton className="h-9 w-full" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}
