import type { Workspace } from "./workspace.ts";

/** The smallest port that a host name can distinguish from the slug of an app (docs/protocol/rest.md §5). */
const minNamedPort = 1_000;

/** The part of the deployment that serves applications (docs/protocol/clients.md §0.6). */
interface AppRegion {
  readonly path_app_url: string;
  /** Such as `*.apps.example.com`; empty if ports do not have host names. */
  readonly wildcard_hostname: string;
}

interface AgentPort {
  readonly port: number;
  readonly agentName: string;
}

/** Returns the URL of an agent's port in a region, or the reason why there is none. */
export function portUrl(
  { port, agentName }: AgentPort,
  workspace: Pick<Workspace, "name" | "owner_name">,
  region: AppRegion | undefined,
): { readonly url: string } | { readonly problem: string } {
  if (port < minNamedPort) {
    return { problem: `port ${port} has no URL, wanted ${minNamedPort} or more` };
  }
  const scheme = /^https?:/.exec(region?.path_app_url ?? "")?.[0];
  if (region === undefined || scheme === undefined || !region.wildcard_hostname.includes("*")) {
    return { problem: "the server has no wildcard host name (SLIPWAY_WILDCARD_ACCESS_URL)" };
  }
  const name = [port, agentName, workspace.name, workspace.owner_name].join("--");
  return { url: `${scheme}//${region.wildcard_hostname.replace("*", () => name)}/` };
}
