import type { IncomingMessage } from "node:http";

import type { PathApps } from "../../platform/config/settings.ts";
import {
  type WildcardAccessUrl,
  wildcardHostname,
  wildcardPart,
} from "../../platform/config/wildcard-access-url.ts";
import type { ClientView } from "../../platform/http/request-origin.ts";
import { type AppAddress, isAppPath, parseAppHost, parseAppPath } from "./app-address.ts";

/** A request for an app, as read from its URL. */
export interface AppRequest {
  readonly address: AppAddress;
  readonly client: ClientView;
  /** The origin that the browser shows. */
  readonly origin: string;
  /** The pattern of the hosts of apps; empty if there is none. */
  readonly wildcardHost: string;
  /** The path of the app at the server; empty for an app with its own host. */
  readonly basePath: string;
  /** The path below that, empty or beginning with `/`, as the browser sent it. */
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

export type AskedApp =
  /** The request is for the API or a page of the server. */
  | { readonly type: "none" }
  | { readonly type: "app"; readonly asked: AppRequest }
  | { readonly type: "malformed-host" }
  | { readonly type: "unknown-path" }
  | { readonly type: "path-apps-off" };

export interface AppSite {
  readonly wildcard: WildcardAccessUrl | undefined;
  readonly pathApps: PathApps;
  readonly accessUrl: () => string;
}

/**
 * Decides whether a request is for an app: by its host, which then reaches nothing else of the server, or by its path.
 * The host of the access URL is the server's even if it matches the pattern.
 */
export function readAppRequest(
  { url = "" }: Pick<IncomingMessage, "url">,
  readClient: () => ClientView,
  site: AppSite,
): AskedApp {
  if (site.wildcard === undefined && !isAppPath(url)) return { type: "none" };
  // Not yet known if a request arrives the moment the server listens.
  const access = new URL(site.accessUrl() || "http://localhost");
  const client = readClient();
  const host = client.host.toLowerCase();
  const isServer = hostname(host) === access.hostname;
  const wildcardHost = wildcardHostname(site.wildcard, access.href);
  const part = site.wildcard && !isServer ? wildcardPart(site.wildcard, host) : undefined;
  if (part !== undefined) {
    const address = parseAppHost(part);
    if (address === undefined || !url.startsWith("/")) return { type: "malformed-host" };
    // A proxy may drop the port from the host.
    const origin = `${access.protocol}//${wildcardHost.replace("*", part)}`;
    const rest = { wildcardHost, basePath: "", ...splitQuery(url) };
    return { type: "app", asked: { address, client, origin, ...rest } };
  }
  if (!isAppPath(url)) return { type: "none" };
  const parsed = parseAppPath(url);
  if (site.pathApps === "off") return { type: "path-apps-off" };
  const origin = isServer ? access.origin : originOf(host, client);
  if (parsed === undefined || origin === undefined) return { type: "unknown-path" };
  const { address, basePath } = parsed;
  const rest = { wildcardHost, basePath, ...splitQuery(parsed.rest) };
  return { type: "app", asked: { address, client, origin, ...rest } };
}

/** Returns the origin of a host at which the server is reached beside its access URL; undefined for an invalid host. */
function originOf(host: string, { protocol }: ClientView): string | undefined {
  const text = `${protocol}://${host}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Nothing but a host and a port.
  return url?.href === `${url?.origin}/` ? url.origin : undefined;
}

function hostname(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "");
}

function splitQuery(url: string): { readonly path: string; readonly query: string } {
  const at = url.indexOf("?");
  return at === -1 ? { path: url, query: "" } : { path: url.slice(0, at), query: url.slice(at) };
}
