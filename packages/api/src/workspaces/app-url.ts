import type { WorkspaceApp } from "../agents/app.ts";
import type { PortShare } from "./port-share-routes.ts";
import type { Workspace } from "./workspace.ts";

/** A part of the deployment that serves applications (docs/protocol/clients.md §0.6). */
export interface AppRegion {
  readonly path_app_url: string;
  /** Such as `*.apps.example.com`; empty if apps do not have their own host names. */
  readonly wildcard_hostname: string;
}

/** The workspace whose apps are opened, and the place to open them. */
export interface AppPlace {
  readonly workspace: Pick<Workspace, "owner_name" | "name">;
  readonly region: AppRegion;
}

type App = Pick<
  WorkspaceApp,
  "slug" | "url" | "external" | "command" | "subdomain" | "subdomain_name"
>;

/**
 * Returns the URL under which people open an app (docs/protocol/clients.md §1.11); undefined for an app that needs
 * its own host name on a server without a wildcard host name.
 */
export function appUrl(app: App, agentName: string, place: AppPlace): string | undefined {
  if (app.external) return app.url;
  const { workspace, region } = place;
  const base = region.path_app_url.replace(/\/+$/, "");
  const agent = `${workspace.name}.${agentName}`;
  const path = `${base}/@${encode(workspace.owner_name)}/${encode(agent)}`;
  if (isCommandApp(app)) return `${path}/terminal?app=${encode(app.slug)}`;
  if (app.subdomain) return hostUrl(app.subdomain_name ?? "", region);
  return `${path}/apps/${encode(app.slug)}/`;
}

/** Returns whether an app is a command that a terminal runs. */
export function isCommandApp({ external, command }: Pick<App, "external" | "command">): boolean {
  return !external && (command ?? "") !== "";
}

/** The smallest port that a host name can distinguish from the slug of an app (docs/protocol/rest.md §5). */
const minNamedPort = 1_000;

/** Returns the URL of a shared port; undefined on a server without a wildcard host name, and for ports below 1000. */
export function portUrl(
  { agent_name, port, protocol }: Pick<PortShare, "agent_name" | "port" | "protocol">,
  { workspace, region }: AppPlace,
): string | undefined {
  if (port < minNamedPort) return undefined;
  const ending = protocol === "https" ? "s" : "";
  const parts = [`${port}${ending}`, agent_name, workspace.name, workspace.owner_name];
  return hostUrl(parts.join("--"), region);
}

/** Returns the URL of a host below the wildcard, with the scheme of the server. */
function hostUrl(name: string, { path_app_url, wildcard_hostname }: AppRegion): string | undefined {
  const scheme = /^https?:/.exec(path_app_url)?.[0];
  if (scheme === undefined || name === "" || !wildcard_hostname.includes("*")) return undefined;
  return `${scheme}//${wildcard_hostname.replace("*", () => name)}/`;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** The name of the region that the server itself serves. */
export const primaryRegion = "primary";
