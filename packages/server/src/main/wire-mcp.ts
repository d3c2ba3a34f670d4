import { addMcpRoutes } from "../gateway/mcp/mcp-routes.ts";
import { addResourceMetadata } from "../gateway/mcp/resource-metadata.ts";
import type { Platform } from "../platform/platform.ts";
import type { Site } from "./open-http.ts";
import { slipwayVersion } from "./version.ts";

/** Adds the MCP server, and the documents by which its clients find out how to authenticate. */
export function wireMcp(
  { app, routes, requestLimits: limits, settings, accessUrl, urlFor }: Site,
  { db, clock, logger }: Pick<Platform, "db" | "clock" | "logger">,
): void {
  addMcpRoutes(routes, {
    app,
    db,
    clock,
    logger: logger.child({ part: "mcp" }),
    version: slipwayVersion,
    accessUrl,
    hasStockNames: settings.hasStockMcpNames,
    maxCallsPerUser: settings.limits.maxMcpCallsPerUser,
  });
  addResourceMetadata(app, { limits, urlFor });
}
