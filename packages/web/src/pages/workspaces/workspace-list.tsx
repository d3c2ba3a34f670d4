import type { Workspace, WorkspacesResponse } from "@slipway/api/workspaces/workspace";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  lazy,
  type ReactNode,
  Suspense,
  useLayoutEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";

import { classNames } from "../../ui/class-names.ts";
import { Panel, Skeleton } from "../../ui/layout.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { type ListSearch, pageSize } from "./list-search.ts";
import { type AskedAction, ListViewerContext, useNewListViewer } from "./list-viewer.ts";
import { useListPages } from "./use-workspace-list.ts";
import { ListHeader, rowClasses, wideRowRem, WorkspaceRow } from "./workspace-row.tsx";

// Loaded with the first action: its forms are large.
const ActionDialog = lazy(async () => ({
  default: (await import("../../components/workspaces/action-dialog.tsx")).ActionDialog,
}));

/** The rows of this many before and after those in view are read too, so that a scroll finds them. */
const readAhead = 50;

/** Screens whose rows have columns: Tailwind's `lg`. */
const wide = matchMedia("(width >= 64rem)");

function useIsWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      wide.addEventListener("change", listener);
      return () => wide.removeEventListener("change", listener);
    },
    () => wide.matches,
  );
}

function wideRowHeight(): number {
  return wideRowRem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

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
  const [asked, setAsked] = useState<AskedAction>();
  const viewer = useNewListViewer(setAsked);
  const place = useRef<HTMLDivElement>(null);
  const [scrollMargin, setScrollMargin] = useState(0);
  useLayoutEffect(() => setScrollMargin(place.current?.offsetTop ?? 0), []);
  const [rowHeight] = useState(wideRowHeight);
  // Where all rows are equally high, none is measured: to measure one lays out all of them.
  const isMeasured = !useIsWide() || search.group !== undefined;
  const rows = useWindowVirtualizer({
    count: first.count,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollMargin,
  });
  useLayoutEffect(() => rows.measure(), [rows, isMeasured]);
  const items = rows.getVirtualItems();
  const pages = pagesAround(items, first.count);
  const workspaceAt = useListPages(search, first, pages);
  const groupAt = (index: number): string | undefined => {
    const workspace = workspaceAt(index);
    return workspace === undefined ? undefined : groupOf(workspace, search, viewer.me.id);
  };
  const newest = (workspace: Workspace): Workspace =>
    items.flatMap(({ index }) => workspaceAt(index) ?? []).find(({ id }) => id === workspace.id) ??
    workspace;
  const keys = new Set<string>();
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
            {items.map(({ index, start, size }) => {
              const workspace = workspaceAt(index);
              // A row moves with its workspace; pages that were read at different times may both have one.
              const isKnown = workspace === undefined || keys.has(workspace.id);
              const key = isKnown ? String(index) : workspace.id;
              keys.add(key);
              const group = groupAt(index);
              const isFirstOfGroup =
                group !== undefined && (index === 0 || groupAt(index - 1) !== group);
              return (
                <div
                  key={key}
                  ref={isMeasured ? rows.measureElement : undefined}
                  data-index={index}
                  className={classNames("absolute inset-x-0", !isMeasured && "contain-strict")}
                  style={{ top: start - scrollMargin, height: isMeasured ? undefined : size }}
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
      {asked !== undefined && (
        <Suspense>
          <ActionDialog
            action={asked.action}
            workspace={newest(asked.workspace)}
            onClose={() => setAsked(undefined)}
          />
        </Suspense>
      )}
    </ListViewerContext>
  );
}

/** Returns the pages of the rows in view, and of those that a scroll reaches next. */
function pagesAround(items: readonly { readonly index: number }[], count: number): number[] {
  const from = Math.max(0, (items[0]?.index ?? 0) - readAhead);
  const to = Math.min(count - 1, (items.at(-1)?.index ?? 0) + readAhead);
  const [firstPage, lastPage] = [Math.floor(from / pageSize), Math.floor(to / pageSize)];
  return Array.from({ length: lastPage - firstPage + 1 }, (_, at) => firstPage + at);
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
