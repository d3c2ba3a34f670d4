import type { Workspace } from "@slipway/api/workspaces/workspace";
import { useRouter } from "@tanstack/react-router";
import { Star } from "lucide-react";
import { memo, type ReactNode } from "react";

import { workspacePath } from "../../components/workspaces/workspace-address.ts";
import { workspaceStatus } from "../../components/workspaces/workspace-status.ts";
import { classNames } from "../../ui/class-names.ts";
import { Badge, Status } from "../../ui/status.tsx";
import { relativeTime } from "../../ui/time-text.ts";
import { TimeAt } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { useListViewer } from "./list-viewer.ts";
import { RowActions } from "./row-actions.tsx";
import { RowApps } from "./row-apps.tsx";

/** The height of a row on wide screens, in the root's font size; that of others depends on their content. */
export const wideRowRem = 14.25 / 4;

/** The columns of a row, which stand below each other on narrow screens. */
export const rowClasses =
  "grid items-center gap-x-4 gap-y-1 border-b border-line px-4 py-2 max-lg:grid-cols-[1rem_minmax(0,1fr)_max-content] lg:h-14.25 lg:grid-cols-[1rem_minmax(0,2fr)_minmax(0,1.6fr)_minmax(0,1.4fr)_7rem_8.5rem_7rem]";

const columns = ["Name", "Template", "Status", "Last used", "Apps", "Actions"] as const;

/** The names of the columns. */
export function ListHeader(): ReactNode {
  return (
    <div role="rowgroup" className="max-lg:sr-only">
      <div role="row" aria-rowindex={1} className={classNames(rowClasses, "h-auto! py-2")}>
        <span role="columnheader">
          <span className="sr-only">Selection</span>
        </span>
        {columns.map((name) => (
          <span
            key={name}
            role="columnheader"
            className={classNames(
              "text-xs font-medium text-ink-soft",
              name === "Actions" && "text-right",
            )}
          >
            {name}
          </span>
        ))}
      </div>
    </div>
  );
}

interface WorkspaceRowProps {
  readonly workspace: Workspace;
  readonly rowIndex: number;
  readonly isSelected: boolean;
  readonly onSelect: (workspace: Workspace, isSelected: boolean) => void;
}

/** A workspace in the list. */
export const WorkspaceRow = memo(function WorkspaceRow({
  workspace,
  rowIndex,
  isSelected,
  onSelect,
}: WorkspaceRowProps): ReactNode {
  const name = untrusted(workspace.name);
  return (
    <div
      role="row"
      aria-rowindex={rowIndex}
      aria-selected={isSelected}
      className={classNames(rowClasses, isSelected ? "bg-accent-soft" : "hover:bg-hover")}
    >
      <div role="cell" className="flex">
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          checked={isSelected}
          onChange={(event) => onSelect(workspace, event.target.checked)}
          className="size-4 accent-accent"
        />
      </div>
      <NameCell workspace={workspace} />
      <TemplateCell workspace={workspace} />
      <StatusCell workspace={workspace} />
      <LastUsedCell workspace={workspace} />
      <div role="cell" className="max-lg:hidden">
        <RowApps workspace={workspace} />
      </div>
      <div
        role="cell"
        className="flex justify-end gap-0.5 max-lg:col-start-3 max-lg:row-span-2 max-lg:row-start-1"
      >
        <RowActions workspace={workspace} />
      </div>
    </div>
  );
});

interface CellProps {
  readonly workspace: Workspace;
}

function NameCell({ workspace }: CellProps): ReactNode {
  const { me } = useListViewer();
  const router = useRouter();
  const path = workspacePath(workspace);
  const isOwn = workspace.owner_id === me.id;
  return (
    <div role="cell" className="min-w-0">
      <div className="flex min-w-0 items-center gap-1.5">
        <a
          href={path}
          className="truncate font-medium hover:underline"
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            router.history.push(path);
          }}
        >
          <UntrustedText>{workspace.name}</UntrustedText>
        </a>
        {workspace.favorite && (
          <Star
            role="img"
            aria-label="Favorite"
            size={13}
            className="shrink-0 fill-current text-warn"
          />
        )}
      </div>
      <div className="truncate text-xs text-ink-faint">
        {isOwn ? "You" : <UntrustedText>{workspace.owner_name}</UntrustedText>}
      </div>
    </div>
  );
}

function TemplateCell({ workspace }: CellProps): ReactNode {
  const { template_display_name: displayName, template_name: name, latest_build } = workspace;
  const shown = displayName === "" ? name : displayName;
  return (
    <div role="cell" className="min-w-0 max-lg:hidden">
      <div className="truncate">
        <UntrustedText>{shown}</UntrustedText>
      </div>
      <div className="flex min-w-0 items-center gap-1.5 text-xs text-ink-faint">
        <span className="truncate">
          <UntrustedText>{latest_build.template_version_name}</UntrustedText>
        </span>
        {workspace.outdated && (
          <Badge tone="warn" title="The template has a newer active version">
            Outdated
          </Badge>
        )}
      </div>
    </div>
  );
}

function LastUsedCell({ workspace }: CellProps): ReactNode {
  const { now } = useListViewer();
  return (
    <div role="cell" className="text-ink-soft tabular-nums max-lg:hidden">
      <TimeAt time={workspace.last_used_at} now={now} />
    </div>
  );
}

function StatusCell({ workspace }: CellProps): ReactNode {
  const { text, tone } = workspaceStatus(workspace);
  return (
    <div role="cell" className="min-w-0 max-lg:col-span-2 max-lg:col-start-2">
      <div className="flex flex-wrap items-center gap-x-3">
        <Status tone={tone}>{text}</Status>
        <span className="flex items-center gap-1.5 text-xs text-ink-faint lg:hidden">
          <span className="max-w-40 truncate">
            <UntrustedText>{workspace.template_name}</UntrustedText>
          </span>
          {workspace.outdated && <Badge tone="warn">Outdated</Badge>}
        </span>
      </div>
      <NextChange workspace={workspace} />
    </div>
  );
}

/** The next automatic action and its time, or the reason for which the last build failed. */
function NextChange({ workspace }: CellProps): ReactNode {
  const { now } = useListViewer();
  const { latest_build: build, deleting_at: deletingAt, on_deadline: onDeadline } = workspace;
  const within = (time: string): string => relativeTime(new Date(time), now);
  const text =
    build.status === "failed"
      ? untrusted(build.job.error ?? "")
      : build.status === "running" && build.deadline !== null
        ? `${onDeadline === "delete" ? "Deleted" : "Stops"} ${within(build.deadline)}`
        : deletingAt !== null
          ? `Deleted ${within(deletingAt)}`
          : build.status === "stopped" && workspace.next_start_at !== null
            ? `Starts ${within(workspace.next_start_at)}`
            : "";
  if (text === "") return null;
  return (
    <div className="truncate text-xs text-ink-faint" title={text}>
      {text}
    </div>
  );
}
