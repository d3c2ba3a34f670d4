import { listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { MonitorDot, Plus, SearchX } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import type { StreamState } from "../../api/use-stream.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { buttonClasses } from "../../ui/button.tsx";
import { EmptyState, PageHeader, Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { type ListSearch, ownWorkspaces } from "./list-search.ts";
import { ListToolbar } from "./list-toolbar.tsx";
import { UpdateMine } from "./update-mine.tsx";
import { useFirstPage, useLiveList } from "./use-workspace-list.ts";
import { ListSkeleton, WorkspaceList } from "./workspace-list.tsx";

const route = getRouteApi("/member/framed/workspaces");

const ManyActions = lazy(async () => ({
  default: (await import("./many-actions.tsx")).ManyActions,
}));

/** Lists the workspaces that match a search, and acts on one or several of them. */
export function WorkspacesPage(): ReactNode {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const first = useFirstPage(search);
  const stream = useLiveList();
  const [selected, setSelected] = useState<ReadonlyMap<string, Workspace>>(new Map());
  const change = (next: ListSearch): void => {
    setSelected(new Map());
    void navigate({ search: next, replace: true });
  };
  const select = (workspace: Workspace, isSelected: boolean): void => {
    const next = new Map(selected);
    if (isSelected) next.set(workspace.id, workspace);
    else next.delete(workspace.id);
    setSelected(next);
  };
  return (
    <>
      <PageHeader
        title="Workspaces"
        actions={
          <>
            <UpdateMine />
            <Link to="/workspaces/new" className={buttonClasses("primary")}>
              <Plus aria-hidden size={16} />
              New workspace
            </Link>
          </>
        }
      >
        <ListState count={first.data?.count} stream={stream} />
      </PageHeader>
      <ListToolbar search={search} onSearch={change} />
      {first.isError && <FailureNotice error={first.error} onRetry={() => void first.refetch()} />}
      {first.isPending && <ListSkeleton />}
      {first.data?.count === 0 && <NoWorkspaces search={search} onSearch={change} />}
      {first.data !== undefined && first.data.count > 0 && (
        <WorkspaceList
          search={search}
          first={first.data}
          selected={selected}
          onSelect={select}
          isOutdated={first.isPlaceholderData}
        />
      )}
      {selected.size > 0 && (
        <Suspense>
          <ManyActions selected={selected} onClear={() => setSelected(new Map())} />
        </Suspense>
      )}
    </>
  );
}

const streamTexts: Readonly<Record<StreamState, string>> = {
  live: "",
  lost: " · the connection was lost and is being restored",
  refused: " · WebSockets are blocked: refreshed every 10 seconds",
};

function ListState({
  count,
  stream,
}: {
  readonly count: number | undefined;
  readonly stream: StreamState;
}): ReactNode {
  const text =
    count === undefined
      ? "Loading…"
      : `${count.toLocaleString("en")} ${count === 1 ? "workspace" : "workspaces"}`;
  return (
    <span role="status" className="tabular-nums">
      {text}
      {streamTexts[stream]}
    </span>
  );
}

interface NoWorkspacesProps {
  readonly search: ListSearch;
  readonly onSearch: (search: ListSearch) => void;
}

function NoWorkspaces({ search, onSearch }: NoWorkspacesProps): ReactNode {
  const own = useQuery(routeQuery(listWorkspaces, { query: { q: ownWorkspaces, limit: "1" } }));
  const hasOwn = own.data === undefined || own.data.count > 0;
  if (search.q !== undefined || hasOwn) {
    return (
      <Panel>
        <EmptyState
          icon={<SearchX size={28} />}
          title="No workspace matches"
          action={
            <button type="button" className={buttonClasses()} onClick={() => onSearch({})}>
              Show all of mine
            </button>
          }
        >
          Change the search or remove a filter.
        </EmptyState>
      </Panel>
    );
  }
  return (
    <Panel>
      <EmptyState
        icon={<MonitorDot size={28} />}
        title="You have no workspaces yet"
        action={
          <Link to="/workspaces/new" className={buttonClasses("primary")}>
            Create your first workspace
          </Link>
        }
      >
        A workspace is a machine for your work. It is made from a template, and you reach it from
        this browser, your editor or SSH.
      </EmptyState>
      <div className="mx-auto max-w-xl pb-6">
        <Notice tone="info" title="In a terminal">
          <code className="font-mono">slipway create dev --template …</code> does the same.
        </Notice>
      </div>
    </Panel>
  );
}
