import type { FastifyInstance, FastifyRequest } from "fastify";

import { usualScopes } from "../../features/oauth-server/scopes.ts";
import { resourceMetadataPath, resources } from "../../platform/auth/resource-metadata.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";

interface MetadataNeeds {
  readonly limits: RequestLimits;
  readonly urlFor: (request: Pick<FastifyRequest, "protocol" | "host">) => string;
}

/** Adds the documents by which clients learn where to get tokens, and how the server wants to be sent them (RFC 9728 §3.1). */
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
        authorization_servers: [url],
        scopes_supported: usualScopes,
      });
    });
  }
}
