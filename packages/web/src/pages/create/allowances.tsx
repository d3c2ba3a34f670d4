import type { WorkspaceAllowances } from "@slipway/api/workspaces/workspace";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { buttonClasses } from "../../ui/button.tsx";
import { Notice } from "../../ui/notice.tsx";

interface AllowanceProps {
  /** Undefined until they are read. */
  readonly allowances: WorkspaceAllowances | undefined;
}

/** Returns why no workspace can be created now; undefined if one can. */
export function allowanceRefusal(allowances: WorkspaceAllowances | undefined): string | undefined {
  if (allowances === undefined) return undefined;
  if (isReached(allowances.workspaces)) return "You have reached the limit of workspaces";
  if (isReached(allowances.running)) return "You have reached the limit of running workspaces";
  return undefined;
}

function isReached({ used, limit }: WorkspaceAllowances["workspaces"]): boolean {
  return limit !== null && used >= limit;
}

/** Says that a limit is reached, and where to make room. */
export function AllowanceNotice({ allowances }: AllowanceProps): ReactNode {
  const refusal = allowanceRefusal(allowances);
  if (allowances === undefined || refusal === undefined) return null;
  const isFull = isReached(allowances.workspaces);
  return (
    <Notice
      tone="warn"
      title={`${refusal}: ${textOf(isFull ? allowances.workspaces : allowances.running)}.`}
      action={
        <Link
          to="/workspaces"
          search={isFull ? {} : { q: "owner:me status:running" }}
          className={buttonClasses()}
        >
          Show them
        </Link>
      }
    >
      {isFull ? "Delete one that you no longer need." : "Stop one first."}
    </Notice>
  );
}

/** Says how much of one's allowance a new workspace takes. */
export function AllowanceText({ allowances }: AllowanceProps): ReactNode {
  if (allowances === undefined) return null;
  const { workspaces, running } = allowances;
  const parts = [
    workspaces.limit === null ? undefined : `${nextOf(workspaces)} workspaces`,
    running.limit === null ? undefined : `${nextOf(running)} running ones`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? null : `You will then have ${parts.join(" and ")}.`;
}

function nextOf({ used, limit }: WorkspaceAllowances["workspaces"]): string {
  return `${String(used + 1)} of ${String(limit)}`;
}

function textOf({ used, limit }: WorkspaceAllowances["workspaces"]): string {
  return `${String(used)} of ${String(limit)}`;
}
