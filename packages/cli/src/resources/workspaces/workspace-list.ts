import type { BuildStatus, WorkspaceBuild } from "@slipway/api/builds/build";
import { cronText } from "@slipway/api/workspaces/cron-text";
import { listWorkspaces } from "@slipway/api/workspaces/routes";
import type { Workspace } from "@slipway/api/workspaces/workspace";
import { durationText } from "@slipway/runtime";
import type { ApiClient } from "@slipway/sdk/http";

import type { Colors } from "../../terminal/colors.ts";
import { clockTime, relativeTime } from "../../terminal/relative-time.ts";
import type { Cell, Columns } from "../../terminal/table.ts";
import { fullName } from "./workspace-reference.ts";

/** The number of workspaces per request. */
const pageSize = 100;

/** Reads all workspaces that a search finds. */
export async function readWorkspaces(
  client: ApiClient,
  q: string,
  signal: AbortSignal,
): Promise<Workspace[]> {
  const found: Workspace[] = [];
  for (;;) {
    const query = { q, limit: String(pageSize), offset: String(found.length) };
    const { workspaces, count } = await client.call(listWorkspaces, { query, signal });
    found.push(...workspaces);
    if (workspaces.length === 0 || found.length >= count) return found;
  }
}

/** Returns the search for `--all` and `--search`; a search covers all users' workspaces unless it says `owner:me`. */
export function searchOf({
  all,
  search,
}: {
  readonly all: boolean;
  readonly search: string | undefined;
}): string {
  return search ?? (all ? "" : "owner:me");
}

/** Columns of workspace lists, with the names that `coder` gives them; `app status` and `deletion` are ours. */
export const workspaceColumnNames = [
  "workspace",
  "template",
  "status",
  "healthy",
  "last built",
  "outdated",
  "current version",
  "starts at",
  "starts next",
  "stops after",
  "stops next",
  "favorite",
  "organization name",
  "organization id",
  "daily cost",
  "app status",
  "deletion",
] as const;

/** The columns of `slipway list` by default. */
export const defaultWorkspaceColumns = [
  "workspace",
  "template",
  "status",
  "healthy",
  "last built",
  "outdated",
] as const;

interface WorkspaceView {
  /** True if workspaces of several users are listed. */
  readonly showOwner: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly colors: Colors;
}

/** Returns the columns of workspace lists. */
export function workspaceColumns({
  showOwner,
  now,
  colors,
}: WorkspaceView): Columns<Workspace, (typeof workspaceColumnNames)[number]> {
  const when = (time: string | null): string =>
    time === null ? "-" : relativeTime(Date.parse(time), now);
  return {
    workspace: (workspace) => (showOwner ? fullName(workspace) : workspace.name),
    template: ({ template_name }) => template_name,
    status: ({ latest_build }) => statusCell(latest_build.status, colors),
    healthy: (workspace) => healthCell(workspace, colors),
    "last built": ({ latest_build }) => when(latest_build.created_at),
    outdated: ({ outdated }) => (outdated ? { text: "yes", style: colors.yellow } : "no"),
    "current version": ({ latest_build }) => latest_build.template_version_name,
    "starts at": ({ autostart_schedule }) =>
      autostart_schedule === null ? "-" : cronText(autostart_schedule),
    "starts next": ({ next_start_at }) => when(next_start_at),
    "stops after": ({ ttl_ms }) => (ttl_ms === null ? "-" : durationText(ttl_ms)),
    "stops next": ({ latest_build }) =>
      latest_build.status === "running" ? when(latest_build.deadline) : "-",
    favorite: ({ favorite }) => (favorite ? "yes" : "no"),
    "organization name": ({ organization_name }) => organization_name,
    "organization id": ({ organization_id }) => organization_id,
    "daily cost": ({ latest_build }) => String(latest_build.daily_cost),
    "app status": ({ latest_app_status: reported }) =>
      reported === null ? "-" : `${reported.state}: ${reported.message}`,
    deletion: ({ deleting_at }) =>
      deleting_at === null ? "-" : clockTime(Date.parse(deleting_at)),
  };
}

/**
 * Returns the health of a running workspace, which is that of its agents, then of its apps; other workspaces have
 * none.
 */
function healthCell({ latest_build, health }: Workspace, colors: Colors): Cell {
  if (latest_build.status !== "running") return "-";
  if (!health.healthy) return { text: "no", style: colors.red };
  const [first, ...more] = unhealthyApps(latest_build);
  if (first === undefined) return "yes";
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return { text: `no: app ${first}${others}`, style: colors.yellow };
}

function unhealthyApps({ resources }: Pick<WorkspaceBuild, "resources">): readonly string[] {
  const apps = resources.flatMap(({ agents }) => agents.flatMap((agent) => agent.apps));
  return apps.filter(({ health }) => health === "unhealthy").map(({ slug }) => slug);
}

/** Returns the status of a workspace, in its color. */
export function statusCell(
  status: BuildStatus,
  colors: Colors,
): { readonly text: BuildStatus; readonly style: (text: string) => string } {
  return { text: status, style: statusStyle(status, colors) };
}

function statusStyle(status: BuildStatus, colors: Colors): (text: string) => string {
  switch (status) {
    case "running":
      return colors.green;
    case "failed":
      return colors.red;
    case "pending":
    case "starting":
    case "stopping":
    case "deleting":
    case "canceling":
      return colors.yellow;
    case "stopped":
    case "deleted":
    case "canceled":
      return colors.dim;
  }
}
