import type { Route } from "@slipway/api/contract/route";
import { callMcp } from "@slipway/api/deployment/mcp-routes";

/** Returns the path of the metadata of a resource, which is a path of this server without a slash at its end (RFC 9728 §3.1). */
export function resourceMetadataPath(resource: string): string {
  return `/.well-known/oauth-protected-resource${resource}`;
}

/** The resources that clients get tokens for: the MCP endpoint, and the whole server. */
export const resources: readonly string[] = [`/api/v2${callMcp.path}`, ""];

/** Returns the resource that a route belongs to: the MCP endpoint, or the whole server. */
export function resourceOf(route: Route): string {
  return route === callMcp ? `/api/v2${callMcp.path}` : "";
}
