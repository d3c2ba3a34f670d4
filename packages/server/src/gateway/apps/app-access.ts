import type { AppHealth, SharingLevel } from "@slipway/api/agents/app";
import type { CorsBehavior } from "@slipway/api/templates/template";
import type { Clock } from "@slipway/runtime";

import { agentStatus } from "../../features/agents/agent-status.ts";
import { narrowerOf } from "../../features/workspaces/port-shares/levels.ts";
import { selectPortShare } from "../../features/workspaces/port-shares/queries.ts";
import { holdsEntry } from "../../platform/auth/grants.ts";
import { mayActFor } from "../../platform/auth/rights.ts";
import type { PathApps } from "../../platform/config/settings.ts";
import type { Queryable } from "../../platform/db/database.ts";
import type { KnownUser } from "../../platform/http/caller.ts";
import type { AppAddress, AppTarget } from "./app-address.ts";
import {
  type AgentOfBuild,
  type FoundApp,
  type NamedWorkspace,
  selectAgentsOfBuild,
  selectApps,
  selectMembership,
  selectNamedWorkspaces,
} from "./queries.ts";

/** An app that its viewer may open. */
export interface OpenedApp {
  readonly workspaceId: string;
  readonly agentId: string;
  /** The name that people see. */
  readonly name: string;
  readonly url: AppUrl;
  readonly level: SharingLevel;
  readonly cors: CorsBehavior;
  /** The state that the agent last reported. */
  readonly health: AppHealth;
}

/** The reason why an app that its viewer may open cannot be opened now. */
export type AppProblem =
  | { readonly type: "stopped"; readonly status: NamedWorkspace["status"] }
  | { readonly type: "disconnected"; readonly status: string }
  | { readonly type: "no-url"; readonly isExternal: boolean }
  | { readonly type: "reserved-port"; readonly port: number };

type AppAccess =
  | { readonly type: "granted"; readonly app: OpenedApp }
  /** There is no such app, or the viewer may not know about it. */
  | { readonly type: "unknown" }
  | { readonly type: "problem"; readonly problem: AppProblem };

interface AccessNeeds {
  readonly db: Queryable;
  readonly clock: Pick<Clock, "now">;
  readonly pathApps: PathApps;
}

/** Finds an app, and decides whether a viewer, who may be anonymous, may open it. */
export async function findApp(
  { db, clock, pathApps }: AccessNeeds,
  { access, username, workspace: name, agent: agentName, target }: AppAddress,
  viewer: KnownUser | undefined,
): Promise<AppAccess> {
  const [workspace] = await selectNamedWorkspaces(db, username, name);
  if (workspace === undefined) return unknown;
  const agents = await selectAgentsOfBuild(db, workspace.build_id);
  const isOwnersOnly = access === "path" && pathApps !== "shared";
  const gate = { db, workspace, viewer, isOwnersOnly };
  const found = await findTarget(db, { workspace, agents, agentName, target });
  // Only a viewer who may open everything learns why there is nothing.
  if (!(await mayOpen(gate, found?.level ?? "owner"))) return unknown;
  if (workspace.status !== "running") {
    return { type: "problem", problem: { type: "stopped", status: workspace.status } };
  }
  if (found === undefined) return unknown;
  const { status } = agentStatus(found.agent, clock.now());
  if (status !== "connected") return { type: "problem", problem: { type: "disconnected", status } };
  return openTarget(workspace, found, access);
}

const unknown: AppAccess = { type: "unknown" };

interface FoundTarget {
  readonly agent: AgentOfBuild;
  readonly level: SharingLevel;
  readonly part:
    | { readonly type: "app"; readonly app: FoundApp }
    | Extract<AppTarget, { readonly type: "port" }>;
}

interface TargetSearch {
  readonly workspace: NamedWorkspace;
  readonly agents: readonly AgentOfBuild[];
  readonly agentName: string | undefined;
  readonly target: AppTarget;
}

async function findTarget(
  db: Queryable,
  { workspace, agents, agentName, target }: TargetSearch,
): Promise<FoundTarget | undefined> {
  const named = agents.find(({ name }) => name.toLowerCase() === agentName);
  // Slugs are unique in a workspace, so that an agent's name beside one changes nothing.
  const ids =
    target.type === "port" ? [named?.id ?? ""].filter(Boolean) : agents.map(({ id }) => id);
  const apps = ids.length === 0 ? [] : await selectApps(db, ids, target.slug);
  const app = apps.find(({ agent_id: id }) => id === named?.id) ?? apps[0];
  const agent = agents.find(({ id }) => id === app?.agent_id) ?? named;
  if (agent === undefined) return undefined;
  if (app !== undefined) {
    // The template has the last word, whether it or an agent published the app.
    const level = narrowerOf(app.sharing_level, workspace.max_port_share_level);
    return { agent, level, part: { type: "app", app } };
  }
  if (target.type === "app") return undefined;
  const shared = { workspaceId: workspace.id, agentName: agent.name, port: target.port };
  const share = await selectPortShare(db, shared);
  return { agent, level: share?.share_level ?? "owner", part: target };
}

function openTarget(
  workspace: NamedWorkspace,
  { agent, part, level }: FoundTarget,
  access: AppAddress["access"],
): AppAccess {
  const problem = (found: AppProblem): AppAccess => ({ type: "problem", problem: found });
  const isApp = part.type === "app";
  const url = isApp
    ? parseAppUrl(part.app.url)
    : { protocol: part.protocol, port: part.port, path: "", query: "" };
  if (url === undefined || (isApp && part.app.external)) {
    return problem({ type: "no-url", isExternal: isApp && part.app.external });
  }
  if (url.port < minAppPort) return problem({ type: "reserved-port", port: url.port });
  const name = isApp ? part.app.display_name || part.app.slug : `port ${part.port}`;
  const health = isApp ? part.app.health : "disabled";
  // The server decides who reads responses at its own origin.
  const cors = access === "path" ? "simple" : workspace.cors_behavior;
  const app = { workspaceId: workspace.id, agentId: agent.id, name, url, level, cors, health };
  return { type: "granted", app };
}

interface Gate {
  readonly db: Queryable;
  readonly workspace: NamedWorkspace;
  readonly viewer: KnownUser | undefined;
  /** True if neither sharing levels nor roles count. */
  readonly isOwnersOnly: boolean;
}

async function mayOpen(
  { db, workspace, viewer, isOwnersOnly }: Gate,
  level: SharingLevel,
): Promise<boolean> {
  if (!isOwnersOnly && level === "public") return true;
  if (viewer === undefined) return false;
  if (!holdsEntry(viewer.grant.allowList, `workspace:${workspace.id}`)) return false;
  if (isOwnersOnly) return viewer.id === workspace.owner_id;
  if (level === "authenticated" || mayActFor(viewer, workspace.owner_id)) return true;
  if (level !== "organization") return false;
  const [membership] = await selectMembership(db, viewer.id, workspace.organization_id);
  return membership !== undefined;
}

/** The server of an app in its workspace, reached by its port on the loopback interface there. */
interface AppUrl {
  readonly protocol: "http" | "https";
  readonly port: number;
  /** The path that stands for `/`, without a slash at the end. */
  readonly path: string;
  /** The query of requests for `/` without one, with its `?`; empty if there is none. */
  readonly query: string;
}

/** The ports below it are the agent's own (docs/protocol/rest.md §5). */
const minAppPort = 9;

/** Parses the URL of an app; undefined if the server cannot request it. */
function parseAppUrl(text: string): AppUrl | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return undefined;
  const isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:") return undefined;
  const protocol = isSecure ? "https" : "http";
  const usualPort = isSecure ? 443 : 80;
  return {
    protocol,
    port: url.port === "" ? usualPort : Number(url.port),
    path: url.pathname.replace(/\/+$/, ""),
    query: url.search,
  };
}
