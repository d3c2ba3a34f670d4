import type { Workspace, WorkspacesResponse } from "@slipway/api/workspaces/workspace";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";

import { Panel, Skeleton } from "../../ui/layout.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { type ListSearch, pageSize } from "./list-search.ts";
import { ListViewerContext, useNewListViewer } from "./list-viewer.ts";
import { useListPages } from "./use-workspace-list.ts";
import { ListHeader, rowClasses, WorkspaceRow } from "./workspace-row.tsx";

/** The height of a row before it is measured. */
const rowHeight = 57;

interface WorkspaceListProps {
  readonly search: ListSearch;
  /** The first page, which tells how many workspaces there are. */
  readonly first: WorkspacesResponse;
  readonly selected: ReadonlyMap<string, Workspace>;
  readonly onSelect: (workspace: Workspace, isSelected: boolean) => void;
  /** True while the rows are those of the last search. */
  readonly isOutdated: boolean;
}

/** A table of any length: only the rows in view exist, and their pages are read as they come into view. */
export function WorkspaceList({
  search,
  first,
  selected,
  onSelect,
  isOutdated,
}: WorkspaceListProps): ReactNode {
  const viewer = useNewListViewer();
  const place = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => setScrollMargin(place.current?.offsetTop ?? 0), []);
  const rows = useWindowVirtualizer({
    count: first.count,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin,
  });
  const items = rows.getVirtualItems();
  const pages = [...new Set(items.map(({ index }) => Math.floor(index / pageSize)))];
  const workspaceAt = useListPages(search, first, pages);
  const groupAt = (index: number): string | undefined => {
    const workspace = workspaceAt(index);
    return workspace === undefined ? undefined : groupOf(workspace, search, viewer.me.id);
  };
  return (
    <ListViewerContext value={viewer}>
      <Panel isFlush>
        <div
          role="table"
          aria-label="Workspaces"
          aria-rowcount={first.count + 1}
          aria-busy={isOutdated}
          className="text-sm"
        >
          <ListHeader />
          <div
            ref={place}
            role="rowgroup"
            className="relative"
            style={{ height: rows.getTotalSize() }}
          >
            {items.map(({ key, index, start }) => {
              const workspace = workspaceAt(index);
              const group = groupAt(index);
              const isFirstOfGroup =
                group !== undefined && (index === 0 || groupAt(index - 1) !== group);
              return (
                <div
                  key={key}
                  ref={rows.measureElement}
                  data-index={index}
                  className="absolute inset-x-0 top-0"
                  style={{ transform: `translateY(${String(start - scrollMargin)}px)` }}
                >
                  {isFirstOfGroup && <GroupHeading name={group} />}
                  {workspace === undefined ? (
                    <SkeletonRow />
                  ) : (
                    <WorkspaceRow
                      workspace={workspace}
                      rowIndex={index + 2}
                      isSelected={selected.has(workspace.id)}
                      onSelect={onSelect}
                    />
                  )}
                </div>
              );
            })}
          </div>
        </div>
      </Panel>
    </ListViewerContext>
  );
}

/** Returns the heading below which a workspace stands; undefined for a list without groups. */
function groupOf(
  workspace: Workspace,
  { group }: ListSearch,
  viewerId: string,
): string | undefined {
  if (group === undefined) return undefined;
  if (workspace.favorite && workspace.owner_id === viewerId) return "Favorites";
  if (group === "organization") return workspace.organization_name;
  return workspace.template_display_name === ""
    ? workspace.template_name
    : workspace.template_display_name;
}

function GroupHeading({ name }: { readonly name: string }): ReactNode {
  return (
    <div role="row" className="border-b border-line bg-sunken px-4 py-1.5">
      <span role="rowheader" className="text-xs font-medium text-ink-soft">
        <UntrustedText>{name}</UntrustedText>
      </span>
    </div>
  );
}

function SkeletonRow(): ReactNode {
  return (
    <div role="row" className={rowClasses}>
      {[0, 1, 2, 3, 4, 5, 6].map((at) => (
        <div key={at} role="cell" className={at === 0 || at > 4 ? "max-lg:hidden" : ""}>
          <Skeleton className={at === 0 ? "size-4" : "h-4 w-3/4"} />
        </div>
      ))}
    </div>
  );
}

/** Stands for a list that is on its way. */
export function ListSkeleton(): ReactNode {
  return (
    <Panel isFlush>
      <div role="table" aria-label="Workspaces" aria-busy className="text-sm">
        <ListHeader />
        <div role="rowgroup">
          {[1, 2, 3, 4, 5].map((key) => (
            <SkeletonRow key={key} />
          ))}
        </div>
      </div>
    </Panel>
  );
}
