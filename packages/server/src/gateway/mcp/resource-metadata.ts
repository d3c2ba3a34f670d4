import type { FastifyInstance, FastifyRequest } from "fastify";

import { resourceMetadataPath } from "../../platform/auth/resource-metadata.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";

interface MetadataNeeds {
  readonly limits: RequestLimits;
  readonly urlFor: (request: Pick<FastifyRequest, "protocol" | "host">) => string;
}

/** The scopes with which all tools work; a token may have fewer. */
const scopes = ["coder:workspaces.create", "coder:workspaces.operate", "coder:workspaces.access"];

/** The resources whose metadata clients look for (RFC 9728 §3.1): the MCP endpoint, and the whole server. */
const resources = ["/api/v2/mcp", ""];

/** Adds the documents by which clients learn how the server wants to be sent tokens (RFC 9728). */
export function addResourceMetadata(app: FastifyInstance, { limits, urlFor }: MetadataNeeds): void {
  for (const resource of resources) {
    const path = resourceMetadataPath(resource);
    app.get(path, async (request, reply) => {
      limits.countPage(path, request, reply);
      const url = urlFor(request);
      return reply.header("Cache-Control", "no-store").send({
        resource: `${url}${resource}`,
        resource_name: "Slipway",
        resource_documentation: `${url}/api/v2/docs`,
        bearer_methods_supported: ["header"],
        scopes_supported: scopes,
      });
    });
  }
}
