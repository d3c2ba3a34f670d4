import type { FastifyInstance, FastifyRequest } from "fastify";

import type { KeyHolders } from "../../platform/auth/service.ts";
import { sendPage } from "../../platform/http/html-page.ts";
import { encodeJson } from "../../platform/http/json.ts";
import type { RequestLimits } from "../../platform/http/request-limits.ts";
import { addDocumentation } from "./documentation.ts";
import { addIcons } from "./icons.ts";
import { noInstallScript } from "./no-install-script.ts";
import { startJson, startPage } from "./start-page.ts";
import { stockVersions } from "./stock-versions.ts";

interface PageNeeds {
  readonly limits: RequestLimits;
  /** The version of this release, as people know it. */
  readonly version: string;
  readonly accessUrl: () => string;
  /** Finds the readers of the guides. */
  readonly holders: Pick<KeyHolders, "ofToken">;
  /** Returns the URL that a script leads back to. */
  readonly urlFor: (request: FastifyRequest) => string;
  /** Returns the script that installs the command; undefined if there is nothing to install. */
  readonly installScript: ((request: FastifyRequest) => string) | undefined;
}

/** Adds the pages that people and stock clients look for outside the API. */
export function addPages(
  app: FastifyInstance,
  { limits, version, accessUrl, urlFor, installScript, holders }: PageNeeds,
): void {
  app.get("/", async (request, reply) => {
    limits.countPage("/", request, reply);
    reply.header("Vary", ["Origin", "Cookie", "Accept"]);
    const start = { version, accessUrl: accessUrl() };
    if (!wantsJson(request)) return sendPage(reply, 200, startPage(start));
    return reply
      .type("application/json; charset=utf-8")
      .serializer(encodeJson)
      .send(startJson(start));
  });

  app.get("/install.sh", async (request, reply) => {
    limits.countPage("/install.sh", request, reply);
    return reply
      .headers({ "Cache-Control": "private, no-cache", Vary: "Host" })
      .type("text/plain; charset=utf-8")
      .serializer(String)
      .send(
        installScript?.(request) ??
          noInstallScript({ version, accessUrl: urlFor(request), stockVersions }),
      );
  });

  addDocumentation(app, { limits, holders, accessUrl });
  addIcons(app, limits);
}

function wantsJson({ headers: { accept = "" } }: FastifyRequest): boolean {
  return accept.includes("application/json") && !accept.includes("text/html");
}
