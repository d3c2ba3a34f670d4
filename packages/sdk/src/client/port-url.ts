import type { Workspace } from "@slipway/api/workspaces/workspace";

import { WorkspaceError } from "./errors.ts";

/** The smallest port that a host name can distinguish from the slug of an app (docs/protocol/rest.md §5). */
const minNamedPort = 1_000;

/** The part of the deployment that serves applications (docs/protocol/clients.md §0.6). */
interface AppRegion {
  readonly name: string;
  readonly path_app_url: string;
  /** Such as `*.apps.example.com`; empty if ports do not have host names. */
  readonly wildcard_hostname: string;
}

interface AgentPort {
  readonly port: number;
  readonly agentName: string;
}

/** Returns the URL of an agent's port in the first region. Throws `WorkspaceError` "no-port-url" if there is none. */
export function portUrl(
  { port, agentName }: AgentPort,
  workspace: Pick<Workspace, "name" | "owner_name">,
  [region]: readonly AppRegion[],
): string {
  if (port < minNamedPort) throw noUrl(`port ${port} has none, wanted ${minNamedPort} or more`);
  const base = region === undefined ? null : URL.parse(region.path_app_url);
  if (region === undefined || base === null || !region.wildcard_hostname.includes("*")) {
    throw noUrl(
      "the server has no wildcard host name; use forward, or set SLIPWAY_WILDCARD_ACCESS_URL",
    );
  }
  const name = [port, agentName, workspace.name, workspace.owner_name].join("--");
  return `${base.protocol}//${region.wildcard_hostname.replace("*", () => name)}/`;
}

function noUrl(reason: string): WorkspaceError {
  return new WorkspaceError("no-port-url", `no URL for this port: ${reason}`, { admitted: "no" });
}
